#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace gru4rec::cuda {

using Key = unsigned long long;
/// Stands where there is no key, behind all others.
constexpr Key kNoKey = ~Key{0};

/// Keys that one block sorts in its shared memory.
constexpr int64_t kRun = 2048;

/// Sorts each row of keys [rows, length], rows below 65,536. Equal keys may only be kNoKey.
/// @param room  as large as `keys`; which of the two holds the result is what is returned
Key* sort_rows(Key* keys, Key* room, int64_t rows, int64_t length, cudaStream_t stream);
/// The last part of sort_rows: each kRun keys of a row are sorted already.
/// @param fan  runs that one pass merges into one; a pass costs a key fan - 1 binary searches
Key* merge_runs(Key* keys, Key* room, int64_t rows, int64_t length, int64_t fan, cudaStream_t stream);

}  // namespace gru4rec::cuda
