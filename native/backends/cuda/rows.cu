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

/// [M, width].
struct AddElement {
  ConstMatrix from;
  Matrix out;
  __device__ void operator()(int64_t row, int64_t col) const { out(row, col) += from(row, col); }
};

/// [M, width].
struct MultiplyElement {
  ConstMatrix factor;
  Matrix out;
  __device__ void operator()(int64_t row, int64_t col) const { out(row, col) = keep(out(row, col), factor(row, col)); }
};

/// Element `col` of a single row: out [n] from items at source [M], or from items [M] where `source` is empty.
struct CarryItem {
  Span<const int32_t> items, source;
  Span<int32_t> out;
  __device__ void operator()(int64_t, int64_t col) const {
    int64_t from = col;
    if (!source.empty()) from = col < source.size ? source[col] : -1;
    out[col] = from >= 0 && from < items.size ? items[from] : kNoItem;
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

void CudaBackend::do_carry_items(Span<const int32_t> items, Span<const int32_t> source, Span<int32_t> out) {
  for_each_element(1, out.size, stream(), CarryItem{items, source, out});
}

void CudaBackend::do_add(ConstMatrix from, Matrix out) {
  for_each_element(out.rows, out.cols, stream(), AddElement{from, out});
}

void CudaBackend::do_multiply(ConstMatrix factor, Matrix out) {
  for_each_element(out.rows, out.cols, stream(), MultiplyElement{factor, out});
}

}  // namespace gru4rec::cuda
