#include <algorithm>
#include <cstdint>
#include <string>

#include "emulator/api_call.h"
#include "emulator/counters.h"
#include "emulator/cublas_product.h"
#include "emulator/device_memory.h"
#include "emulator/options.h"
#include "emulator/report.h"
#include "emulator/streams.h"
#include "emulator/traffic.h"

/// libcublas.so.13, emulated: the calls of the product, checked and computed on the CPU. Enumerations are passed as
/// int; their values are NVIDIA's.
namespace gru4rec::emulator {

namespace {

enum Status {
  kSuccess = 0,
  kNotInitialized = 1,
  kAllocationFailed = 3,
  kInvalidValue = 7,
  kExecutionFailed = 13,
  kNotSupported = 15
};
enum Operation { kNone = 0, kTranspose = 1 };
enum MathMode { kDefaultMath = 0, kPedanticMath = 2, kTf32Math = 3 };
enum ComputeType { kCompute32 = 68, kCompute32Pedantic = 69, kCompute32FastBfloat16 = 75, kCompute32FastTf32 = 77 };
enum DataType { kFloat32 = 0, kBfloat16 = 14 };
enum Algorithm { kDefaultAlgorithm = -1, kDefaultTensorAlgorithm = 99 };

constexpr int kFirstWithTensorFloats = 80;  ///< compute capability from which there are tf32 and bfloat16

}  // namespace

}  // namespace gru4rec::emulator

struct cublasContext {
  int device;
  cudaStream_t stream;
  void* workspace;
  int math_mode;
};

namespace gru4rec::emulator {

namespace {

/// The arguments of one product, column-major.
struct Product {
  int64_t m, n, k;
  float alpha, beta;
  Operand a, b;
  void* c;
  Element c_element;
  int64_t c_leading;
  Rounding rounding;
};

size_t size_of(Element element) { return element == Element::float32 ? 4 : 2; }

/// Bytes from the first to behind the last element of a matrix [rows, cols].
size_t reach(int64_t rows, int64_t cols, int64_t leading, Element element) {
  return rows == 0 || cols == 0 ? 0 : static_cast<size_t>((cols - 1) * leading + rows) * size_of(element);
}

void check_operand(const Product& p, const char* name, const void* data, size_t bytes, Element element) {
  if (bytes == 0) return;
  if (!is_device_range(data, bytes) || reinterpret_cast<uintptr_t>(data) % size_of(element) != 0) {
    fail("cuBLAS: m=%lld n=%lld k=%lld lda=%lld ldb=%lld ldc=%lld: %s (%p, %zu bytes) is not in a device allocation",
         static_cast<long long>(p.m), static_cast<long long>(p.n), static_cast<long long>(p.k),
         static_cast<long long>(p.a.leading), static_cast<long long>(p.b.leading), static_cast<long long>(p.c_leading),
         name, data, bytes);
  }
}

/// Whether an operand of `rows` rows shares memory with C. Column ranges of one wider matrix reach into each other
/// without an element in common.
bool overlap(const void* data, size_t bytes, size_t rows, int64_t leading, const Product& p) {
  const size_t c_bytes = reach(p.m, p.n, p.c_leading, p.c_element);
  const auto first = reinterpret_cast<uintptr_t>(data), c = reinterpret_cast<uintptr_t>(p.c);
  if (bytes == 0 || first >= c + c_bytes || c >= first + bytes) return false;
  if (leading != p.c_leading || p.a.element != p.c_element) return true;
  const size_t period = static_cast<size_t>(leading), size = size_of(p.c_element);
  const size_t c_after =
      (c / size + period - first / size % period) % period;  // C's first row, seen from the operand's
  return c_after < rows || c_after + static_cast<size_t>(p.m) > period;
}

void check_operands(const Product& p) {
  const bool read = p.k > 0 && p.alpha != 0.0f;
  const size_t a_bytes =
      read ? reach(p.a.transposed ? p.k : p.m, p.a.transposed ? p.m : p.k, p.a.leading, p.a.element) : 0;
  const size_t b_bytes =
      read ? reach(p.b.transposed ? p.n : p.k, p.b.transposed ? p.k : p.n, p.b.leading, p.b.element) : 0;
  const size_t c_bytes = reach(p.m, p.n, p.c_leading, p.c_element);
  check_operand(p, "A", p.a.data, a_bytes, p.a.element);
  check_operand(p, "B", p.b.data, b_bytes, p.b.element);
  check_operand(p, "C", p.c, c_bytes, p.c_element);
  const size_t a_rows = static_cast<size_t>(p.a.transposed ? p.k : p.m);
  const size_t b_rows = static_cast<size_t>(p.b.transposed ? p.n : p.k);
  if (overlap(p.a.data, a_bytes, a_rows, p.a.leading, p) || overlap(p.b.data, b_bytes, b_rows, p.b.leading, p))
    fail("cuBLAS: C overlaps an operand");
}

/// Calls `count` for each column of a matrix [rows, cols].
template <class Count>
void count_columns(const void* data, int64_t rows, int64_t cols, int64_t leading, Element element, const Count& count) {
  const size_t size = size_of(element);
  for (int64_t col = 0; col < cols; ++col)
    count(static_cast<const char*>(data) + static_cast<size_t>(col * leading) * size, static_cast<size_t>(rows) * size);
}

/// Each operand is read once; how often a GPU reads it depends on the tiles that cuBLAS takes.
void count_traffic(const Product& p) {
  if (p.k > 0 && p.alpha != 0.0f) {
    const int64_t a_rows = p.a.transposed ? p.k : p.m, a_cols = p.a.transposed ? p.m : p.k;
    const int64_t b_rows = p.b.transposed ? p.n : p.k, b_cols = p.b.transposed ? p.k : p.n;
    count_columns(p.a.data, a_rows, a_cols, p.a.leading, p.a.element, count_read);
    count_columns(p.b.data, b_rows, b_cols, p.b.leading, p.b.element, count_read);
  }
  if (p.beta != 0.0f) count_columns(p.c, p.m, p.n, p.c_leading, p.c_element, count_read);
  count_columns(p.c, p.m, p.n, p.c_leading, p.c_element, count_written);
}

const char* precision_of(const Product& p) {
  if (p.a.element == Element::bfloat16 || p.rounding == Rounding::bfloat16) return "bf16";
  return p.rounding == Rounding::tf32 ? "tf32" : "float32";
}

Description describe(const Product& p) {
  Description what{WorkKind::product,
                   "product " + std::to_string(p.m) + " x " + std::to_string(p.n) + " x " + std::to_string(p.k)};
  what.flops = 2.0 * static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
  what.precision = precision_of(p);
  return what;
}

Status enqueue_product(cublasContext* handle, const Product& product) {
  if (handle->stream == nullptr) fail("cuBLAS: the default stream; cublasSetStream was not called");
  if (handle->workspace == nullptr)
    fail("cuBLAS: no workspace; cublasSetWorkspace was not called after cublasSetStream");
  check_stream(handle->stream, "cuBLAS");
  if (handle->device != current_device() || handle->stream->device != handle->device) return kExecutionFailed;
  if (product.m == 0 || product.n == 0) return kSuccess;
  check_operands(product);
  if (should_fail_launch()) {
    break_device();
    return kSuccess;
  }
  if (handle->stream->capture == nullptr) ++counters().products;
  Work work;
  work.what = describe(product);
  work.run = [product] {
    check_operands(product);  // once more: memory may have been freed before a graph runs
    count_traffic(product);
    multiply(product.m, product.n, product.alpha != 0.0f ? product.k : 0, product.alpha, product.a, product.b,
             product.rounding, product.beta, product.c, product.c_element, product.c_leading);
  };
  return record(enqueue(handle->stream, std::move(work))) == cudaSuccess ? kSuccess : kExecutionFailed;
}

bool is_operation(int operation) { return operation == kNone || operation == kTranspose; }

bool has_tensor_floats() { return options().capability >= kFirstWithTensorFloats; }

/// What a compute type and the handle's math mode do to float32 operands.
Rounding rounding_of(int compute_type, int math_mode) {
  if (!has_tensor_floats()) return Rounding::none;
  if (compute_type == kCompute32FastBfloat16) return Rounding::bfloat16;
  if (compute_type == kCompute32FastTf32) return Rounding::tf32;
  return compute_type == kCompute32 && math_mode == kTf32Math ? Rounding::tf32 : Rounding::none;
}

/// Scalars are read when the call is made.
const float* host_scalar(const void* scalar) {
  if (scalar == nullptr || is_device_memory(scalar)) fail("cuBLAS: alpha and beta are expected in host memory");
  return static_cast<const float*>(scalar);
}

}  // namespace

}  // namespace gru4rec::emulator

using namespace gru4rec::emulator;

extern "C" {

int cublasCreate_v2(cublasContext** handle) {
  const ApiCall call(Capture::forbidden);
  if (call.refused() != cudaSuccess) return kNotInitialized;
  if (handle == nullptr) return kInvalidValue;
  if (should_fail_allocation()) return kAllocationFailed;
  *handle = new cublasContext{current_device(), nullptr, nullptr, kDefaultMath};
  ++counters().live_objects;
  return kSuccess;
}

/// Waits for the device, as the real one does.
int cublasDestroy_v2(cublasContext* handle) {
  const ApiCall call(Capture::forbidden);
  if (handle == nullptr) return kNotInitialized;
  if (call.refused() == cudaSuccess) finish_device(handle->device);
  delete handle;
  --counters().live_objects;
  return call.refused() == cudaSuccess ? kSuccess : kExecutionFailed;
}

int cublasGetVersion_v2(cublasContext*, int* version) {
  *version = options().cublas_version;
  return kSuccess;
}

int cublasSetStream_v2(cublasContext* handle, cudaStream_t stream) {
  const ApiCall call;
  if (handle == nullptr) return kNotInitialized;
  check_stream(stream, "cublasSetStream");
  handle->stream = stream;
  handle->workspace = nullptr;  // the real one, too, goes back to a workspace of its own
  return kSuccess;
}

int cublasSetMathMode(cublasContext* handle, int mode) {
  const ApiCall call;
  if (handle == nullptr) return kNotInitialized;
  if (mode != kDefaultMath && mode != kPedanticMath && mode != kTf32Math) return kInvalidValue;
  handle->math_mode = mode;
  return kSuccess;
}

int cublasSetWorkspace_v2(cublasContext* handle, void* workspace, size_t bytes) {
  const ApiCall call;
  if (handle == nullptr) return kNotInitialized;
  if (reinterpret_cast<uintptr_t>(workspace) % 256 != 0) return kInvalidValue;
  if (bytes == 0 || !is_device_range(workspace, bytes))
    fail("cublasSetWorkspace: %p, %zu bytes, is not in a device allocation", workspace, bytes);
  handle->workspace = workspace;
  return kSuccess;
}

int cublasGemmEx(cublasContext* handle, int a_operation, int b_operation, int m, int n, int k, const void* alpha,
                 const void* a, int a_type, int a_leading, const void* b, int b_type, int b_leading, const void* beta,
                 void* c, int c_type, int c_leading, int compute_type, int algorithm) {
  const ApiCall call;
  if (handle == nullptr) return kNotInitialized;
  if (call.refused() != cudaSuccess) return kExecutionFailed;
  if (!is_operation(a_operation) || !is_operation(b_operation) || m < 0 || n < 0 || k < 0) return kInvalidValue;
  const bool a_transposed = a_operation == kTranspose, b_transposed = b_operation == kTranspose;
  if (a_leading < std::max(1, a_transposed ? k : m) || b_leading < std::max(1, b_transposed ? n : k) ||
      c_leading < std::max(1, m))
    return kInvalidValue;
  const bool known_types =
      (a_type == kFloat32 || a_type == kBfloat16) && a_type == b_type && (c_type == kFloat32 || c_type == a_type);
  const bool known_compute_type =
      compute_type == kCompute32 || compute_type == kCompute32Pedantic ||
      (a_type == kFloat32 && (compute_type == kCompute32FastBfloat16 || compute_type == kCompute32FastTf32));
  const bool known_algorithm = algorithm == kDefaultAlgorithm || algorithm == kDefaultTensorAlgorithm;
  if (!known_types || !known_compute_type || !known_algorithm) return kNotSupported;
  if (a_type == kBfloat16 && !has_tensor_floats()) return kNotSupported;

  const auto element = [](int type) { return type == kFloat32 ? Element::float32 : Element::bfloat16; };
  Product product{};
  product.m = m;
  product.n = n;
  product.k = k;
  product.alpha = *host_scalar(alpha);
  product.beta = *host_scalar(beta);
  product.a = {a, element(a_type), a_leading, a_transposed};
  product.b = {b, element(b_type), b_leading, b_transposed};
  product.c = c;
  product.c_element = element(c_type);
  product.c_leading = c_leading;
  product.rounding = rounding_of(compute_type, handle->math_mode);
  return enqueue_product(handle, product);
}

int cublasSgemm_v2(cublasContext* handle, int a_operation, int b_operation, int m, int n, int k, const float* alpha,
                   const float* a, int a_leading, const float* b, int b_leading, const float* beta, float* c,
                   int c_leading) {
  return cublasGemmEx(handle, a_operation, b_operation, m, n, k, alpha, a, kFloat32, a_leading, b, kFloat32, b_leading,
                      beta, c, kFloat32, c_leading, kCompute32, kDefaultAlgorithm);
}

}  // extern "C"
