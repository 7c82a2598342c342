#include "emulator/launch.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <unordered_map>

#include "emulator/api_call.h"
#include "emulator/counters.h"
#include "emulator/device_memory.h"
#include "emulator/faults.h"
#include "emulator/options.h"
#include "emulator/report.h"
#include "emulator/scheduler.h"
#include "emulator/streams.h"

namespace gru4rec::emulator {

namespace {

constexpr size_t kMostThreads = 1024, kMostThreadsZ = 64;
constexpr unsigned kMostBlocksX = 2147483647, kMostBlocksYZ = 65535;
constexpr size_t kRegisters = 65536;  ///< of a multiprocessor
constexpr size_t kThreadsOfMultiprocessor = 1536;

/// What nvcc made of a kernel.
struct Resources {
  size_t registers = 0;
  size_t static_shared = 0;
  size_t most_threads = kMostThreads;  ///< __launch_bounds__
};

/// By kernel name; lines "registers static_bytes most_threads name".
std::map<std::string, Resources> read_resources(const std::string& path) {
  std::map<std::string, Resources> table;
  if (path.empty()) return table;
  std::ifstream file(path);
  if (!file) fail("Expected the resource table %s but it cannot be read", path.c_str());
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    Resources resources;
    std::string name;
    if (words >> resources.registers >> resources.static_shared >> resources.most_threads >> std::ws &&
        std::getline(words, name))
      table[name] = resources;
  }
  return table;
}

/// What is known of the kernel without running it; null where no table was given.
const Resources* resources_of(const void* function) {
  static auto& table = *new std::map<std::string, Resources>(read_resources(options().resources));
  if (table.empty()) return nullptr;
  const auto found = table.find(kernel_name(function));
  if (found == table.end())
    fail("the kernel %s is not in %s", kernel_name(function).c_str(), options().resources.c_str());
  return &found->second;
}

/// Dynamic shared memory that cudaFuncSetAttribute has allowed a kernel.
std::unordered_map<const void*, size_t>& allowed_dynamic_shared() {
  static auto& allowed = *new std::unordered_map<const void*, size_t>;
  return allowed;
}

size_t round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

cudaError_t check_shape(const Kernel& kernel) {
  const size_t threads = size_t{kernel.block.x} * kernel.block.y * kernel.block.z;
  const dim3& grid = kernel.grid;
  if (threads == 0 || threads > kMostThreads || kernel.block.z > kMostThreadsZ) return cudaErrorInvalidConfiguration;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return cudaErrorInvalidConfiguration;
  if (grid.x > kMostBlocksX || grid.y > kMostBlocksYZ || grid.z > kMostBlocksYZ) return cudaErrorInvalidConfiguration;
  const auto allowed = allowed_dynamic_shared().find(kernel.function);
  if (kernel.shared_bytes >
      std::max(kSharedWithoutAsking, allowed != allowed_dynamic_shared().end() ? allowed->second : 0))
    return cudaErrorInvalidValue;
  if (const Resources* resources = resources_of(kernel.function)) {
    if (threads > resources->most_threads) return cudaErrorLaunchOutOfResources;
    if (round_up(resources->registers, 8) * round_up(threads, warpSize) > kRegisters)
      return cudaErrorLaunchOutOfResources;
    if (kernel.shared_bytes + resources->static_shared > shared_memory_limit(kernel.function))
      return cudaErrorInvalidValue;
  }
  return cudaSuccess;
}

void check_pointers(const Kernel& kernel, int device) {
  for (const void* pointer : kernel.pointers) {
    const char* problem = problem_of_pointer(pointer, device);
    if (problem == nullptr) continue;
    running_kernel = &kernel;
    fail("the pointer argument %p %s", pointer, problem);
  }
}

}  // namespace

size_t shared_memory_limit(const void* function) {
  const auto allowed = allowed_dynamic_shared().find(function);
  const bool asked = allowed != allowed_dynamic_shared().end() && allowed->second > 0;
  return asked ? static_cast<size_t>(options().shared_bytes) : kSharedWithoutAsking;
}

void add_pointer(const void* pointer, Kernel* kernel) { kernel->pointers.push_back(pointer); }

void add_pointers_within(const void* bytes, size_t size, Kernel* kernel) {
  for (size_t first = 0; first + sizeof(void*) <= size; first += sizeof(void*)) {
    const void* word = nullptr;
    std::memcpy(&word, static_cast<const char*>(bytes) + first, sizeof(word));
    // Beside a zero a float looks like a low address, and Node's heap lies there.
    if (reinterpret_cast<uintptr_t>(word) >> 32 == 0) continue;
    if (is_device_memory(word) || is_pinned_range(word, 1)) kernel->pointers.push_back(word);
  }
}

cudaError_t launch(const cudaLaunchConfig_t& config, Kernel kernel) {
  const ApiCall call;
  if (call.refused() != cudaSuccess) return call.refused();
  check_stream(config.stream, "cudaLaunchKernelEx");
  kernel.name = kernel_name(kernel.function).c_str();
  kernel.grid = config.gridDim;
  kernel.block = config.blockDim;
  kernel.shared_bytes = config.dynamicSmemBytes;
  if (config.numAttrs != 0) fail("launch attributes are not emulated");
  if (config.stream->device != current_device()) return record(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = check_shape(kernel); error != cudaSuccess) return record(error);
  check_pointers(kernel, config.stream->device);
  if (should_fail_launch()) {
    break_device();
    return cudaSuccess;
  }
  if (config.stream->capture == nullptr) ++counters().launches;
  Work work;
  work.what = {WorkKind::kernel, kernel.name, uint64_t{kernel.grid.x} * kernel.grid.y * kernel.grid.z,
               kernel.block.x * kernel.block.y * kernel.block.z};
  work.run = [kernel = std::move(kernel), device = config.stream->device] { execute(kernel, device); };
  return record(enqueue(config.stream, std::move(work)));
}

void execute(const Kernel& kernel, int device) {
  check_pointers(kernel, device);
  provide_signal_stack();
  run_kernel(kernel);
}

cudaError_t set_function_attribute(const void* function, cudaFuncAttribute attribute, int value) {
  const ApiCall call;
  if (call.refused() != cudaSuccess) return call.refused();
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  const Resources* resources = resources_of(function);
  const int64_t static_shared = resources != nullptr ? static_cast<int64_t>(resources->static_shared) : 0;
  if (value < 0 || value + static_shared > options().shared_bytes) return record(cudaErrorInvalidValue);
  allowed_dynamic_shared()[function] = static_cast<size_t>(value);
  return cudaSuccess;
}

cudaError_t get_function_attributes(cudaFuncAttributes* attributes, const void* function) {
  const ApiCall call;
  if (call.refused() != cudaSuccess) return call.refused();
  if (options().capability < options().oldest_code) return record(cudaErrorNoKernelImageForDevice);
  const Resources* known = resources_of(function);
  const Resources resources = known != nullptr ? *known : Resources{};
  const auto allowed = allowed_dynamic_shared().find(function);
  *attributes = {};
  attributes->sharedSizeBytes = resources.static_shared;
  attributes->maxThreadsPerBlock = static_cast<int>(resources.most_threads);
  attributes->numRegs = static_cast<int>(resources.registers);
  attributes->maxDynamicSharedSizeBytes = static_cast<int>(
      allowed != allowed_dynamic_shared().end() ? allowed->second : kSharedWithoutAsking - resources.static_shared);
  return cudaSuccess;
}

cudaError_t occupancy(int* blocks, const void* function, int block_size, size_t shared_bytes) {
  const ApiCall call;
  if (call.refused() != cudaSuccess) return call.refused();
  if (block_size <= 0 || block_size > static_cast<int>(kMostThreads)) return record(cudaErrorInvalidValue);
  const Resources* known = resources_of(function);
  const size_t threads = round_up(static_cast<size_t>(block_size), warpSize);
  const size_t shared = shared_bytes + (known != nullptr ? known->static_shared : 0);
  const size_t registers = known != nullptr ? round_up(known->registers, 8) * threads : 0;
  size_t count = kThreadsOfMultiprocessor / threads;
  if (shared > 0) count = std::min(count, static_cast<size_t>(options().shared_bytes) / shared);
  if (registers > 0) count = std::min(count, kRegisters / registers);
  *blocks = static_cast<int>(count);
  return cudaSuccess;
}

}  // namespace gru4rec::emulator
