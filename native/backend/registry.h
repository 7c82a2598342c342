#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"

namespace gru4rec {

/// Which device to compute on, and where its libraries are.
struct DeviceOptions {
  std::string device = "auto";  ///< "cpu", "cuda", "cuda:1", or "auto" for the best that is here
  int threads = 0;              ///< threads of the CPU back end; 0 = as many as the CPU quota of the process allows
  std::string cuda_library;     ///< path of libgru4rec_cuda.so; empty = there is none
  std::string cublas_path;      ///< a cuBLAS library; empty = look for it
};

/// Makes the back end of a device.
/// Throws ErrorCode::device for a device that is not here or cannot be used, ErrorCode::argument,
/// ErrorCode::out_of_memory.
std::unique_ptr<Backend> create_backend(const DeviceOptions& options);

}  // namespace gru4rec
