#include "backend/registry.h"

#include "backends/cpu/cpu_backend.h"
#include "core/error.h"

namespace gru4rec {

std::unique_ptr<Backend> create_backend(const std::string& device, int threads) {
  if (threads < 0) {
    throw Error(ErrorCode::argument, "Expected `threads` to be at least 0 but received " + std::to_string(threads));
  }
  if (device == "cpu" || device == "auto") return cpu::create_cpu_backend(threads);
  throw Error(ErrorCode::device, "Expected `device` to be \"auto\" or \"cpu\" but received \"" + device + "\"");
}

}  // namespace gru4rec
