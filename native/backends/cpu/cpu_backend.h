#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"

namespace gru4rec::cpu {

/// @param threads  0 = available_threads()
std::unique_ptr<Backend> create_cpu_backend(int threads);

/// What create_cpu_backend would compute with.
struct CpuDescription {
  std::string isa;
  int threads;
  DeviceMemory memory;
};
CpuDescription describe_cpu(int threads);

}  // namespace gru4rec::cpu
