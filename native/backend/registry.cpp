#include "backend/registry.h"

#include "backends/cpu/cpu_backend.h"
#include "backends/cuda_library/cuda_proxy.h"
#include "core/error.h"

namespace gru4rec {

std::unique_ptr<Backend> create_backend(const DeviceOptions& options) {
  if (options.threads < 0) {
    throw Error(ErrorCode::argument,
                "Expected `threads` to be at least 0 but received " + std::to_string(options.threads));
  }
  if (options.device == "cpu" || options.device == "auto") return cpu::create_cpu_backend(options.threads);
  if (options.device == "cuda") {
    return cuda_library::create_cuda_backend(options.cuda_library, 0, options.cublas_path);
  }
  throw Error(ErrorCode::device, "Expected `device` to be \"auto\" or \"cpu\" but received \"" + options.device + "\"");
}

}  // namespace gru4rec
