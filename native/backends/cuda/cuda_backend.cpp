#include "backends/cuda/cuda_backend.h"

#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/devices.h"

namespace gru4rec::cuda {

namespace {

/// Makes `device` the current one of this thread before anything is made on it.
int select(int device) {
  select_device(device);
  return device;
}

std::string device_name(int device) {
  cudaDeviceProp properties;
  GRU_CHECK(cudaGetDeviceProperties(&properties, device));
  return properties.name;
}

}  // namespace

std::unique_ptr<Backend> create_cuda_backend(int device, const std::string& cublas_path) {
  return std::make_unique<CudaBackend>(device, cublas_path);
}

CudaBackend::CudaBackend(int device, const std::string& cublas_path)
    : device_(select(device)), name_(device_name(device)), gemm_(stream_, cublas_path) {}

std::string CudaBackend::description() const {
  return "cuda:" + std::to_string(device_) + " (" + name_ + ", " + gemm_.description() + ")";
}

void CudaBackend::set_precision(Precision precision) {
  Backend::set_precision(precision);
  gemm_.set_precision(precision);
}

void* CudaBackend::allocate(int64_t bytes) {
  void* allocated = nullptr;
  const cudaError_t error = bytes >= 0 ? cudaMalloc(&allocated, static_cast<size_t>(bytes)) : cudaErrorMemoryAllocation;
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // an allocation that failed is no error of the calls to come
    throw Error(ErrorCode::out_of_memory, "Expected " + std::to_string(bytes) + " bytes of memory of " + name_ +
                                              " but received none: " + std::to_string(memory().free) + " are free");
  }
  check(error, "cudaMalloc");
  return allocated;
}

void CudaBackend::release(void* memory) { cudaFree(memory); }

void CudaBackend::upload(const void* host, int64_t bytes, void* device) {
  staging_.upload(host, bytes, device, stream_);
}

void CudaBackend::download(const void* device, int64_t bytes, void* host) {
  staging_.download(device, bytes, host, stream_);
}

void CudaBackend::synchronize() { GRU_CHECK(cudaStreamSynchronize(stream_)); }

DeviceMemory CudaBackend::memory() const {
  size_t free = 0, total = 0;
  GRU_CHECK(cudaMemGetInfo(&free, &total));
  return {static_cast<int64_t>(total), static_cast<int64_t>(free)};
}

}  // namespace gru4rec::cuda
