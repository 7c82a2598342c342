#include "backends/cuda/cuda_backend.h"

#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/devices.h"
#include "backends/cuda/graph.h"
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
    : device_(select(device)), name_(current_device_name()), gemm_(lines_.main(), cublas_path) {}

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
  staging_.upload(host, bytes, device, stream());
}

void CudaBackend::upload_beside(const void* host, int64_t bytes, void* device) {
  staging_.upload(host, bytes, device, copies_);
  copied_.record(copies_);
  copied_.hold(lines_.main());
}

void CudaBackend::download(const void* device, int64_t bytes, void* host) {
  lines_.join_all();
  staging_.download(device, bytes, host, lines_.main());
}

void CudaBackend::start_read(int place, const void* device, int64_t bytes) {
  lines_.join_all();
  reads_.start(place, device, bytes, lines_.main());
}

void CudaBackend::finish_read(int place, int64_t bytes, void* host) { reads_.finish(place, bytes, host); }

void CudaBackend::begin_recording() {
  lines_.join_all();  // a recording cannot wait for what was called before it
  begin_capture(lines_.main());
}

std::unique_ptr<Recording> CudaBackend::end_recording() { return end_capture(lines_.main()); }

void CudaBackend::abandon_recording() {
  lines_.reset();
  gemm_.use(lines_.number(), stream());
  abandon_capture(lines_.main());
}

void CudaBackend::enter(Branch branch) {
  lines_.enter(branch);
  gemm_.use(lines_.number(), stream());
}

void CudaBackend::leave() {
  lines_.leave();
  gemm_.use(lines_.number(), stream());
}

void CudaBackend::synchronize() {
  lines_.join_all();
  GRU_CHECK(cudaStreamSynchronize(lines_.main()));
}

DeviceMemory CudaBackend::memory() const { return current_device_memory(); }

}  // namespace gru4rec::cuda
