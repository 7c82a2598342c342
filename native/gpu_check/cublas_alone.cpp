#include "gpu_check/cublas_alone.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

namespace gru4rec::gpu_check {

namespace {

// NVIDIA's enumerations (cublas_api.h, library_types.h, cuda.h).
enum Operation { kAsStored = 0, kTransposed = 1 };
enum DataType { kFloat32 = 0 };
enum ComputeType { kCompute32 = 68, kCompute32FastBfloat16 = 75, kCompute32FastTf32 = 77 };
enum Algorithm { kDefaultAlgorithm = -1 };
constexpr unsigned kNonBlocking = 1;

constexpr int64_t kWorkspaceBytes = int64_t{32} << 20;  ///< what NVIDIA recommends for the largest GPUs
constexpr int64_t kAlignment = 256;

int compute_type_of(Precision precision) {
  return precision == Precision::tf32   ? kCompute32FastTf32
         : precision == Precision::bf16 ? kCompute32FastBfloat16
                                        : kCompute32;
}

template <class Function>
Function as(void* symbol) {
  return reinterpret_cast<Function>(symbol);
}

}  // namespace

CublasAlone::CublasAlone(Backend& backend, const std::string& path, Precision precision)
    : path_(path),
      compute_type_(compute_type_of(precision)),
      library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)),
      workspace_(backend, (kWorkspaceBytes + kAlignment) / static_cast<int64_t>(sizeof(float))) {
  if (library_ == nullptr) throw std::runtime_error("Expected to open " + path + " but received " + dlerror());
  // The emulated library holds the emulated runtime; the real one holds none, and a stream is an object of the driver.
  emulated_ = dlsym(library_, "cudaStreamCreateWithFlags") != nullptr;
  streams_ = emulated_ ? library_ : dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (streams_ == nullptr)
    throw std::runtime_error(std::string("Expected to open the driver but received ") + dlerror());
  gemm_ = as<decltype(gemm_)>(find(library_, "cublasGemmEx"));
  wait_ = as<decltype(wait_)>(find(streams_, emulated_ ? "cudaStreamSynchronize" : "cuStreamSynchronize"));
  const auto create_stream =
      as<int (*)(void**, unsigned)>(find(streams_, emulated_ ? "cudaStreamCreateWithFlags" : "cuStreamCreate"));
  const auto create = as<int (*)(void**)>(find(library_, "cublasCreate_v2"));
  const auto set_stream = as<int (*)(void*, void*)>(find(library_, "cublasSetStream_v2"));
  const auto set_workspace = as<int (*)(void*, void*, size_t)>(find(library_, "cublasSetWorkspace_v2"));

  backend.synchronize();  // which makes the device that of this thread
  expect_success(create_stream(&stream_, kNonBlocking), "the creation of a stream");
  expect_success(create(&handle_), "cublasCreate");
  expect_success(set_stream(handle_, stream_), "cublasSetStream");
  const auto begin = reinterpret_cast<uintptr_t>(workspace_.data());
  const uintptr_t aligned = (begin + kAlignment - 1) / kAlignment * kAlignment;
  expect_success(set_workspace(handle_, reinterpret_cast<void*>(aligned), kWorkspaceBytes), "cublasSetWorkspace");
}

CublasAlone::~CublasAlone() {
  // What fails here has been said by a product.
  if (stream_ != nullptr) wait_(stream_);
  if (handle_ != nullptr) as<int (*)(void*)>(dlsym(library_, "cublasDestroy_v2"))(handle_);
  if (stream_ != nullptr)
    as<int (*)(void*)>(dlsym(streams_, emulated_ ? "cudaStreamDestroy" : "cuStreamDestroy_v2"))(stream_);
}

void CublasAlone::multiply(const StoredFactor& left, const StoredFactor& right, Matrix out) {
  // cuBLAS is column-major: it takes a matrix for its transpose, so it is asked for out^T = right^T left^T.
  const float one = 1.0f, zero = 0.0f;
  const auto operation = [](const StoredFactor& factor) { return factor.transposed ? kTransposed : kAsStored; };
  expect_success(
      gemm_(handle_, operation(right), operation(left), static_cast<int>(out.cols), static_cast<int>(out.rows),
            static_cast<int>(left.cols()), &one, right.matrix.data, kFloat32, static_cast<int>(right.matrix.stride),
            left.matrix.data, kFloat32, static_cast<int>(left.matrix.stride), &zero, out.data, kFloat32,
            static_cast<int>(out.stride), compute_type_, kDefaultAlgorithm),
      "cublasGemmEx");
}

void CublasAlone::synchronize() { expect_success(wait_(stream_), "waiting for products"); }

void* CublasAlone::find(void* library, const char* name) const {
  void* symbol = dlsym(library, name);
  if (symbol == nullptr) throw std::runtime_error(std::string("Expected a function ") + name + " beside " + path_);
  return symbol;
}

void CublasAlone::expect_success(int status, const char* call) const {
  if (status != 0)
    throw std::runtime_error(std::string("Expected ") + call + " to succeed but received status " +
                             std::to_string(status));
}

}  // namespace gru4rec::gpu_check
