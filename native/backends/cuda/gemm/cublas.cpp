#include "backends/cuda/gemm/cublas.h"

#include <string>

#include "backends/cuda/runtime.h"
#include "backends/cuda_library/workspace.h"

namespace gru4rec::cuda {

namespace {

// NVIDIA's enumerations (cublas_api.h, library_types.h).
enum Status { kSuccess = 0, kAllocationFailed = 3 };
enum Operation { kAsStored = 0, kTransposed = 1 };
enum MathMode { kDefaultMath = 0 };
enum DataType { kFloat32 = 0 };
enum ComputeType { kCompute32 = 68, kCompute32FastBfloat16 = 75, kCompute32FastTf32 = 77 };
enum Algorithm { kDefaultAlgorithm = -1 };

/// Compute capability from which there are tensor cores for tf32 and bfloat16.
constexpr int kFirstWithTensorFloats = 80;

std::string name_of(int status) {
  switch (status) {
    case 1:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case kAllocationFailed:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case 7:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case 8:
      return "CUBLAS_STATUS_ARCH_MISMATCH";
    case 11:
      return "CUBLAS_STATUS_MAPPING_ERROR";
    case 13:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case 14:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
    case 15:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    case 16:
      return "CUBLAS_STATUS_LICENSE_ERROR";
    default:
      return "status " + std::to_string(status);
  }
}

void check_status(const CublasLibrary& library, int status, const char* call) {
  if (status == kSuccess) return;
  throw Error(status == kAllocationFailed ? ErrorCode::out_of_memory : ErrorCode::device,
              std::string("Expected ") + call + " of cuBLAS " + cublas_version_text(library.version) + " (" +
                  library.path + ") to succeed but received " + name_of(status));
}

int capability_of_current_device() {
  int device = 0, major = 0, minor = 0;
  GRU_CHECK(cudaGetDevice(&device));
  GRU_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  GRU_CHECK(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
  return 10 * major + minor;
}

CublasContext* create(const CublasLibrary& library, int capability) {
  if (const std::string why = too_old_for(library, capability); !why.empty()) throw Error(ErrorCode::device, why);
  CublasContext* handle = nullptr;
  check_status(library, library.create(&handle), "cublasCreate");
  return handle;
}

int compute_type_of(Precision precision) {
  switch (precision) {
    case Precision::tf32:
      return kCompute32FastTf32;
    case Precision::bf16:
      return kCompute32FastBfloat16;
    default:
      return kCompute32;
  }
}

}  // namespace

Cublas::Cublas(const CublasLibrary& library, cudaStream_t stream)
    : library_(library),
      capability_(capability_of_current_device()),
      handle_(create(library, capability_), library.destroy) {
  use(0, stream);
  check_status(library, library.set_math_mode(handle_.get(), kDefaultMath), "cublasSetMathMode");
}

void Cublas::use(int line, cudaStream_t stream) {
  multiplies_ = line < cuda_library::kProductLines;
  if (!multiplies_) return;
  const int major = capability_ / 10;
  const int64_t bytes = cuda_library::cublas_line_bytes(major);
  char* workspaces = workspace_.reserve(cuda_library::cublas_workspace_bytes(major));
  // In this order: another stream takes the workspace away.
  check_status(library_, library_.set_stream(handle_.get(), stream), "cublasSetStream");
  check_status(library_, library_.set_workspace(handle_.get(), workspaces + line * bytes, static_cast<size_t>(bytes)),
               "cublasSetWorkspace");
}

bool Cublas::supports(Precision precision) const {
  return precision == Precision::float32 || capability_ >= kFirstWithTensorFloats;
}

void Cublas::multiply(int m, int n, int k, const ColumnMajorFactor& a, const ColumnMajorFactor& b, bool accumulate,
                      float* c, int c_leading, Precision precision) {
  if (!multiplies_)
    throw Error(ErrorCode::device, "Expected products on lines with a workspace but received one without");
  const float one = 1.0f, beta = accumulate ? 1.0f : 0.0f;
  const auto operation = [](const ColumnMajorFactor& factor) { return factor.transposed ? kTransposed : kAsStored; };
  check_status(
      library_,
      library_.gemm(handle_.get(), operation(a), operation(b), m, n, k, &one, a.data, kFloat32, a.leading, b.data,
                    kFloat32, b.leading, &beta, c, kFloat32, c_leading, compute_type_of(precision), kDefaultAlgorithm),
      "cublasGemmEx");
}

}  // namespace gru4rec::cuda
