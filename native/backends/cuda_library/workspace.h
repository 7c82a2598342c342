#pragma once

#include <cstdint>

/// Sizes of the CUDA back end's own memory, which an estimate must know without the library.
namespace gru4rec::cuda_library {

/// Pinned host memory through which copies go.
constexpr int64_t kStagingBuffers = 2;
constexpr int64_t kStagingBytes = int64_t{1} << 20;

/// cuBLAS's workspace on a device of compute capability `major`: NVIDIA's advice.
constexpr int64_t cublas_workspace_bytes(int major) { return int64_t{major >= 9 ? 32 : 4} << 20; }

}  // namespace gru4rec::cuda_library
