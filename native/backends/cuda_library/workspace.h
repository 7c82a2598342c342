#pragma once

#include <cstdint>

/// Sizes of the CUDA back end's own memory, which an estimate must know without the library.
namespace gru4rec::cuda_library {

/// Pinned host memory through which copies go.
constexpr int64_t kStagingBuffers = 2;
constexpr int64_t kStagingBytes = int64_t{1} << 20;

/// Products that may run at a time: one on the main line of work and one on each branch but the last, Branch::items.
/// Each has a workspace.
constexpr int kProductLines = 3;

/// cuBLAS's workspace for one of them on a device of compute capability `major`: NVIDIA's advice.
constexpr int64_t cublas_line_bytes(int major) { return int64_t{major >= 9 ? 32 : 4} << 20; }
/// For all of them.
constexpr int64_t cublas_workspace_bytes(int major) { return kProductLines * cublas_line_bytes(major); }

}  // namespace gru4rec::cuda_library
