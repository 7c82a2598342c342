#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/elements.cuh"
#include "backends/cuda/find_code.h"

/// Copies of rows. Each body writes the element of `out` that it is called for.
namespace gru4rec::cuda {

/// out [M, width].
struct FillElement {
  float value;
  Matrix out;
  __device__ void operator()(int64_t row, int64_t col) const { out(row, col) = value; }
};

/// Both [M, width].
struct CopyElement {
  ConstMatrix from;
  Matrix out;
  __device__ void operator()(int64_t row, int64_t col) const { out(row, col) = from(row, col); }
};

/// table [rows of it, width], rows [M], out [M, width]; zeros for a row below 0.
struct GatherElement {
  ConstMatrix table;
  const int32_t* rows;
  Matrix out;
  __device__ void operator()(int64_t row, int64_t col, float factor = 1.0f) const {
    out(row, col) = rows[row] < 0 ? 0.0f : keep(table(rows[row], col), factor);
  }
};

/// [M, width], in place.
struct DropElement {
  Matrix gradient;
  __device__ void operator()(int64_t row, int64_t col, float factor = 1.0f) const {
    gradient(row, col) = keep(gradient(row, col), factor);
  }
};

cudaError_t find_code() {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, elements_kernel<FillElement>);
}

void CudaBackend::do_fill(float value, Matrix out) {
  for_each_element(out.rows, out.cols, stream(), FillElement{value, out});
}

void CudaBackend::do_copy(ConstMatrix from, Matrix out) {
  for_each_element(out.rows, out.cols, stream(), CopyElement{from, out});
}

void CudaBackend::do_gather_rows(ConstMatrix table, Span<const int32_t> rows, const Dropout& dropout, Matrix out) {
  for_each_element(out.rows, out.cols, dropout, stream(), GatherElement{table, rows.data, out});
}

void CudaBackend::do_carry_state(ConstMatrix state, Span<const int32_t> source, Matrix out) {
  for_each_element(out.rows, out.cols, stream(), GatherElement{state, source.data, out});
}

void CudaBackend::do_dropout_backward(const Dropout& dropout, Matrix gradient) {
  for_each_element(gradient.rows, gradient.cols, dropout, stream(), DropElement{gradient});
}

}  // namespace gru4rec::cuda
