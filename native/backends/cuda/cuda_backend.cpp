#include "backends/cuda/cuda_backend.h"

#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/devices.h"
#include "backends/cuda/memory.h"

namespace gru4rec::cuda {

namespace {

/// Makes `device` the current one of this thread before anything is made on it.
int select(int device) {
  select_device(device);
  return device;
}

}  // namespace

std::unique_ptr<Backend> create_cuda_backend(int device, const std::string& cublas_path) {
  return std::make_unique<CudaBackend>(device, cublas_path);
}

CudaBackend::CudaBackend(int device, const std::string& cublas_path)
    : device_(select(device)), name_(current_device_name()), gemm_(stream_, cublas_path) {}

std::string CudaBackend::description() const {
  return "cuda:" + std::to_string(device_) + " (" + name_ + ", " + gemm_.description() + ")";
}

void CudaBackend::set_precision(Precision precision) {
  Backend::set_precision(precision);
  gemm_.set_precision(precision);
}

void* CudaBackend::allocate(int64_t bytes) { return allocate_device_memory(bytes); }

void CudaBackend::release(void* memory) { cudaFree(memory); }

void CudaBackend::upload(const void* host, int64_t bytes, void* device) {
  staging_.upload(host, bytes, device, stream_);
}

void CudaBackend::download(const void* device, int64_t bytes, void* host) {
  staging_.download(device, bytes, host, stream_);
}

void CudaBackend::synchronize() { GRU_CHECK(cudaStreamSynchronize(stream_)); }

DeviceMemory CudaBackend::memory() const { return current_device_memory(); }

}  // namespace gru4rec::cuda
