#pragma once

#include <memory>

#include "backend/memory_meter.h"

namespace gru4rec::cuda_library {

/// Measures what a CUDA back end takes on its device; the library need not be there.
/// @param cublas_workspace  0 = without cuBLAS
std::unique_ptr<MemoryMeter> create_memory_meter(int64_t cublas_workspace);

}  // namespace gru4rec::cuda_library
