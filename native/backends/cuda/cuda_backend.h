#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"

namespace gru4rec::cuda {

/// Throws ErrorCode::device for a device that is not here or cannot be used, ErrorCode::out_of_memory.
/// @param cublas_path  a cuBLAS library, or "none" = do without it; empty = look for it
std::unique_ptr<Backend> create_cuda_backend(int device, const std::string& cublas_path);

}  // namespace gru4rec::cuda
