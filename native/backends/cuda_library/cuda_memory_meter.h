#pragma once

#include <memory>

#include "backend/memory_meter.h"

namespace gru4rec::cuda_library {

/// Measures what a CUDA back end takes on its device; the library need not be there.
std::unique_ptr<MemoryMeter> create_memory_meter();

}  // namespace gru4rec::cuda_library
