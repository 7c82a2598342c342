#pragma once

#include <cuda_runtime.h>

#include <string>

#include "core/error.h"

namespace gru4rec::cuda {

/// Throws ErrorCode::out_of_memory for a failed allocation, else ErrorCode::device.
inline void check(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  const ErrorCode code = error == cudaErrorMemoryAllocation ? ErrorCode::out_of_memory : ErrorCode::device;
  throw Error(code, std::string("Expected ") + call + " to succeed but received " + cudaGetErrorName(error) + ": " +
                        cudaGetErrorString(error));
}
#define GRU_CHECK(call) ::gru4rec::cuda::check((call), #call)

}  // namespace gru4rec::cuda
