#pragma once

#include <memory>

#include "backend/memory_meter.h"

namespace gru4rec::cpu {

/// Measures what a CPU back end of so many threads takes. @param threads  0 = available_threads()
std::unique_ptr<MemoryMeter> create_memory_meter(int threads);

}  // namespace gru4rec::cpu
