#include <utility>

#include "backends/cuda/sort.cuh"

namespace gru4rec::cuda {

constexpr int kSortThreads = 256;
constexpr int kMergeThreads = 256;
/// Runs that a pass over long rows merges: three passes for a million keys.
constexpr int64_t kRowFan = 8;

/// Keys that are there already.
struct StoredKeys {
  const Key* keys;  ///< [rows, length]
  int64_t length;
  __device__ Key operator()(int64_t row, int64_t i) const { return keys[row * length + i]; }
};

/// from, to [rows, length]: every `fan` sorted runs of `run` keys of `from`, a multiple of kRun, become one of `to`.
/// A block moves kRun keys of one run of row blockIdx.y. The place of a key is its place in its own run plus the number
/// of keys before it in the others, so that no two threads write the same place.
__global__ void __launch_bounds__(kMergeThreads)
    merge_runs_kernel(const Key* from, Key* to, int64_t length, int64_t run, int64_t fan) {
  from += blockIdx.y * length;
  to += blockIdx.y * length;
  const int64_t first = blockIdx.x * kRun, last = first + kRun < length ? first + kRun : length;
  const int64_t own = first / run, merged = own / fan * fan;
  for (int64_t i = first + threadIdx.x; i < last; i += kMergeThreads) {
    const Key key = from[i];
    int64_t place = merged * run + i - own * run;
    for (int64_t r = merged; r < merged + fan && r * run < length; ++r) {
      if (r == own) continue;
      const int64_t size = length - r * run < run ? length - r * run : run;
      // Only kNoKey is there more than once: those of earlier runs come first.
      place += key == kNoKey && r < own ? size : count_below(from + r * run, size, key);
    }
    to[place] = key;
  }
}

Key* sort_rows(Key* keys, Key* room, int64_t rows, int64_t length, cudaStream_t stream) {
  if (rows == 0 || length == 0) return keys;
  sort_runs<kSortThreads>(StoredKeys{keys, length}, rows, length, keys, stream);
  return merge_runs(keys, room, rows, length, kRowFan, stream);
}

Key* merge_runs(Key* keys, Key* room, int64_t rows, int64_t length, int64_t fan, cudaStream_t stream) {
  for (int64_t run = kRun; run < length; run *= fan) {
    launch(merge_runs_kernel, dim3(blocks_for(length, kRun), static_cast<unsigned>(rows)), kMergeThreads, 0, stream,
           static_cast<const Key*>(keys), room, length, run, fan);
    std::swap(keys, room);
  }
  return keys;
}

}  // namespace gru4rec::cuda
