#pragma once

#include <memory>

#include "backend/backend.h"

namespace gru4rec::cpu {

/// @param threads  0 = available_threads()
std::unique_ptr<Backend> create_cpu_backend(int threads);

}  // namespace gru4rec::cpu
