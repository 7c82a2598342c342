#include "backend/registry.h"

#include <cstdlib>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/cpu_memory_meter.h"
#include "backends/cuda_library/cuda_memory_meter.h"
#include "backends/cuda_library/cuda_proxy.h"
#include "backends/cuda_library/workspace.h"
#include "core/error.h"

namespace gru4rec {

namespace {

constexpr const char* kCpu = "cpu";
constexpr const char* kAuto = "auto";
constexpr const char* kCuda = "cuda";
constexpr int kAnyDevice = -1;

std::string cuda_id(int number) { return std::string(kCuda) + ":" + std::to_string(number); }

/// The number behind "cuda:", or kAnyDevice for "cuda". Throws ErrorCode::device for any other text.
int device_number(const std::string& device) {
  if (device == kCuda) return kAnyDevice;
  const std::string prefix = std::string(kCuda) + ":";
  const std::string digits = device.compare(0, prefix.size(), prefix) == 0 ? device.substr(prefix.size()) : "";
  const bool is_number = !digits.empty() && digits.size() <= 4 && digits.find_first_not_of("0123456789") == digits.npos;
  if (is_number) return std::atoi(digits.c_str());
  throw Error(
      ErrorCode::device,
      "Expected `device` to be \"auto\", \"cpu\", \"cuda\" or \"cuda:\" and a number but received \"" + device + "\"");
}

/// The CUDA devices of the library at options.cuda_library.
class CudaDevices {
 public:
  explicit CudaDevices(const DeviceOptions& options) {
    if (options.cuda_library.empty()) {
      problem_ = "Expected the CUDA back end's library but there is none";
      return;
    }
    try {
      table_ = &cuda_library::load(options.cuda_library);
    } catch (const Error& error) {
      problem_ = error.what();
      return;
    }
    table_->driver(&driver_);
    problem_ = driver_.problem.characters;
  }

  const cuda_library::Table* table() const { return table_; }
  const cuda_library::Driver& driver() const { return driver_; }
  /// Why there is no device at all; empty = there are devices.
  const std::string& problem() const { return problem_; }
  int count() const { return problem_.empty() ? driver_.devices : 0; }
  cuda_library::Device device(int number) const {
    cuda_library::Device device;
    table_->device(number, &device);
    return device;
  }

  /// The first device that can be used; kAnyDevice = there is none, and `why` says of each why.
  int first_usable(std::string& why) const {
    why = problem_;
    for (int number = 0; number < count(); ++number) {
      const std::string problem = device(number).problem.characters;
      if (problem.empty()) return number;
      why += (why.empty() ? "" : "; ") + cuda_id(number) + ": " + problem;
    }
    return kAnyDevice;
  }

  /// Throws ErrorCode::device where device `number` cannot be used.
  int expect_usable(int number) const {
    std::string why = problem_;
    if (why.empty() && number >= count()) {
      const std::string last = count() == 1 ? "" : " to " + cuda_id(count() - 1);
      why = "Expected one of this machine's CUDA devices, " + cuda_id(0) + last + ", but received " + cuda_id(number);
    }
    if (why.empty()) {
      const cuda_library::Device found = device(number);
      if (found.problem.characters[0] != '\0') why = cuda_id(number) + ": " + found.problem.characters;
    }
    if (why.empty()) return number;
    throw Error(ErrorCode::device, why);
  }

 private:
  const cuda_library::Table* table_ = nullptr;
  cuda_library::Driver driver_;
  std::string problem_;
};

/// Bytes of cuBLAS's workspace on a device; those of a new GPU with cuBLAS where it is not here.
int64_t cublas_workspace(const DeviceOptions& options, int number) {
  constexpr int kNewMajor = 9;
  const CudaDevices cuda(options);
  std::string why;
  if (number == kAnyDevice) number = cuda.first_usable(why);
  if (number == kAnyDevice || number >= cuda.count()) return cuda_library::cublas_workspace_bytes(kNewMajor);
  cuda_library::Blas blas;
  cuda.table()->blas(number, options.cublas_path.c_str(), &blas);
  return blas.version == 0 ? 0 : cuda_library::cublas_workspace_bytes(cuda.device(number).major);
}

/// "cpu" or "cuda:0", whichever "auto" takes.
std::string choose_automatically(const CudaDevices& cuda) {
  std::string why;
  const int number = cuda.first_usable(why);
  return number == kAnyDevice ? kCpu : cuda_id(number);
}

}  // namespace

std::string choose_device(const DeviceOptions& options) {
  if (options.device == kCpu) return kCpu;
  if (options.device == kAuto) return choose_automatically(CudaDevices(options));
  const int wanted = device_number(options.device);
  const CudaDevices cuda(options);
  if (wanted != kAnyDevice) return cuda_id(cuda.expect_usable(wanted));
  std::string why;
  const int number = cuda.first_usable(why);
  if (number != kAnyDevice) return cuda_id(number);
  throw Error(ErrorCode::device, why);
}

std::unique_ptr<Backend> create_backend(const DeviceOptions& options) {
  if (options.threads < 0) {
    throw Error(ErrorCode::argument,
                "Expected `threads` to be at least 0 but received " + std::to_string(options.threads));
  }
  const std::string device = choose_device(options);
  if (device == kCpu) return cpu::create_cpu_backend(options.threads);
  return cuda_library::create_cuda_backend(options.cuda_library, device_number(device), options.cublas_path);
}

std::unique_ptr<MemoryMeter> create_memory_meter(const DeviceOptions& options) {
  const std::string device = options.device == kAuto ? choose_device(options) : options.device;
  if (device == kCpu) return cpu::create_memory_meter(options.threads);
  return cuda_library::create_memory_meter(cublas_workspace(options, device_number(device)));
}

DeviceList list_devices(const DeviceOptions& options) {
  DeviceList list;
  const cpu::CpuDescription cpu = cpu::describe_cpu(options.threads);
  DeviceDescription processor;
  processor.id = kCpu;
  processor.name = cpu.isa;
  processor.memory = cpu.memory;
  processor.threads = cpu.threads;
  list.devices.push_back(processor);

  const CudaDevices cuda(options);
  for (int number = 0; number < cuda.count(); ++number) {
    const cuda_library::Device found = cuda.device(number);
    DeviceDescription device;
    device.id = cuda_id(number);
    device.name = found.name.characters;
    device.memory = {found.total_bytes, found.free_bytes};
    device.capability_major = found.major;
    device.capability_minor = found.minor;
    device.problem = found.problem.characters;
    list.devices.push_back(device);
  }
  list.cuda.driver_version = cuda.driver().driver_version;
  list.cuda.runtime_version = cuda.driver().runtime_version;
  const int first = cuda.first_usable(list.cuda.problem);
  if (first != kAnyDevice) list.cuda.problem.clear();
  if (cuda.table() != nullptr) {
    cuda_library::Blas blas;
    cuda.table()->blas(first, options.cublas_path.c_str(), &blas);
    list.cuda.cublas_version = blas.version;
    list.cuda.cublas_path = blas.path.characters;
    list.cuda.cublas_problem = blas.problem.characters;
  }
  list.automatic = first != kAnyDevice ? cuda_id(first) : kCpu;
  return list;
}

}  // namespace gru4rec
