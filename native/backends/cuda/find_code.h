#pragma once

#include <cuda_runtime.h>

namespace gru4rec::cuda {

/// cudaErrorNoKernelImageForDevice where this library was built without code that the current device can run. Kernels
/// of one library are compiled for the same GPUs, so one of them answers for all.
cudaError_t find_code();

}  // namespace gru4rec::cuda
