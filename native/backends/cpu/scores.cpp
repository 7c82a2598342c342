#include "backends/cpu/cpu_backend_impl.h"

namespace gru4rec::cpu {

namespace {

/// The rows of `table` that the items name, or all.
Factor item_rows(ConstMatrix table, Span<const int32_t> items, bool transposed) {
  return items.empty() ? Factor{table, transposed} : Factor{table, transposed, items.data, items.size};
}

/// Columns that one task of a column sum covers.
constexpr int64_t kSumColumns = 512;

}  // namespace

void CpuBackend::do_scores(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> items,
                           const LogQ& logq, Matrix out) {
  float* column_add = column_add_.reserve(out.cols);
  for (int64_t j = 0; j < out.cols; ++j) {
    const int64_t item = items.empty() ? j : items[j];
    column_add[j] = bias(item, 0);
    if (logq.log_support != nullptr) {
      const float coefficient = j < logq.targets ? logq.target_coefficient : logq.sample_coefficient;
      column_add[j] -= coefficient * logq.log_support[item];
    }
  }
  gemm_.multiply({hidden}, item_rows(weight, items, true), {false, column_add}, out);
}

void CpuBackend::do_scores_backward(ConstMatrix score_gradient, ConstMatrix hidden, ConstMatrix weight,
                                    Span<const int32_t> items, Matrix hidden_gradient, Matrix weight_gradient,
                                    Matrix bias_gradient) {
  gemm_.multiply({score_gradient}, item_rows(weight, items, false), {}, hidden_gradient);
  gemm_.multiply({score_gradient, true}, {hidden}, {}, weight_gradient);

  float* sums = bias_gradient.stride == 1 ? bias_gradient.data : column_add_.reserve(score_gradient.cols);
  for_blocks(score_gradient.cols, kSumColumns, [&](int64_t first, int64_t last) {
    kernels_.column_sums(score_gradient.data + first, score_gradient.rows, score_gradient.stride, last - first,
                         sums + first);
  });
  if (bias_gradient.stride != 1) {
    for (int64_t j = 0; j < score_gradient.cols; ++j) bias_gradient(j, 0) = sums[j];
  }
}

}  // namespace gru4rec::cpu
