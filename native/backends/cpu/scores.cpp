#include <algorithm>

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

Span<const int32_t> CpuBackend::existing_items(Span<const int32_t> items) {
  if (std::find(items.begin(), items.end(), kNoItem) == items.end()) return items;
  int32_t* existing = existing_items_.reserve(items.size);
  std::replace_copy(items.begin(), items.end(), existing, kNoItem, 0);
  return {existing, items.size};
}

void CpuBackend::do_scores(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> asked,
                           const LogQ& logq, Matrix out) {
  const Span<const int32_t> items = existing_items(asked);
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
  if (items.data == asked.data) return;
  for (int64_t i = 0; i < out.rows; ++i)
    for (int64_t j = 0; j < out.cols; ++j)
      if (asked[j] == kNoItem) out(i, j) = 0.0f;
}

void CpuBackend::do_scores_backward(ConstMatrix score_gradient, ConstMatrix hidden, ConstMatrix weight,
                                    Span<const int32_t> asked, Matrix hidden_gradient, Matrix weight_gradient,
                                    Matrix bias_gradient) {
  const Span<const int32_t> items = existing_items(asked);  // the gradients of the others are 0
  gemm_.multiply({score_gradient}, item_rows(weight, items, false), {}, hidden_gradient);
  gemm_.multiply({score_gradient, true}, {hidden}, {}, weight_gradient);

  float* sums = bias_gradient.stride == 1 ? bias_gradient.data : column_add_.reserve(score_gradient.cols);
  for_blocks(score_gradient.cols, kSumColumns, [&](int64_t first, int64_t last) {
    kernels_.column_sums(score_gradient.data + first, score_gradient.rows, score_gradient.stride, last - first, false,
                         sums + first);
  });
  if (bias_gradient.stride != 1) {
    for (int64_t j = 0; j < score_gradient.cols; ++j) bias_gradient(j, 0) = sums[j];
  }
}

}  // namespace gru4rec::cpu
