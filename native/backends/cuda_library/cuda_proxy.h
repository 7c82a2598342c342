#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"
#include "backends/cuda_library/cuda_library.h"

namespace gru4rec::cuda_library {

/// The functions of a libgru4rec_cuda.so, which is loaded once a path and stays loaded.
/// Throws ErrorCode::device naming the path when it is not there, cannot be loaded or is of another build.
const Table& load(const std::string& path);

/// A back end on a CUDA device, behind the library at `path`.
/// Throws ErrorCode::device, ErrorCode::out_of_memory.
std::unique_ptr<Backend> create_cuda_backend(const std::string& path, int device, const std::string& cublas_path);

}  // namespace gru4rec::cuda_library
