#include "backends/cuda/memory.h"

namespace gru4rec::cuda {

namespace {

[[noreturn]] void throw_out_of_memory(int64_t bytes, const std::string& memory, const std::string& what_is_free) {
  cudaGetLastError();  // an allocation that failed is no error of the calls to come
  throw Error(ErrorCode::out_of_memory,
              "Expected " + std::to_string(bytes) + " bytes of " + memory + " but received none" + what_is_free);
}

}  // namespace

std::string current_device_name() {
  int device = 0;
  cudaDeviceProp properties{};
  GRU_CHECK(cudaGetDevice(&device));
  GRU_CHECK(cudaGetDeviceProperties(&properties, device));
  return properties.name;
}

DeviceMemory current_device_memory() {
  size_t free = 0, total = 0;
  GRU_CHECK(cudaMemGetInfo(&free, &total));
  return {static_cast<int64_t>(total), static_cast<int64_t>(free)};
}

void* allocate_device_memory(int64_t bytes) {
  void* allocated = nullptr;
  const cudaError_t error = bytes >= 0 ? cudaMalloc(&allocated, static_cast<size_t>(bytes)) : cudaErrorMemoryAllocation;
  if (error == cudaErrorMemoryAllocation) {
    const int64_t free = current_device_memory().free;
    throw_out_of_memory(bytes, "memory of " + current_device_name(), ": " + std::to_string(free) + " are free");
  }
  check(error, "cudaMalloc");
  return allocated;
}

void* allocate_pinned_memory(int64_t bytes) {
  void* allocated = nullptr;
  const cudaError_t error = cudaMallocHost(&allocated, static_cast<size_t>(bytes));
  if (error == cudaErrorMemoryAllocation) throw_out_of_memory(bytes, "pinned host memory", "");
  check(error, "cudaMallocHost");
  return allocated;
}

}  // namespace gru4rec::cuda
