#include "backends/cuda/column_sums.h"
#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/device.cuh"

namespace gru4rec::cuda {

constexpr int kPrepareThreads = 256;
/// Rows of the scores that a thread fills with the term of its column, which it looks up once for them all.
constexpr int kTermRows = 8;
/// Rows of the table that a block copies: a warp each.
constexpr int kGatherRows = kPrepareThreads / static_cast<int>(kWarp);

/// All that a product of scores needs before it, in one launch: out [M, C] <- bias[item] - logQ correction, the same in
/// each row, and item_rows [C, D] <- weight[item] where there is a list of items. Zeros for kNoItem.
/// Block: 256 threads. Grid: x over the `term_blocks`, each 256 columns of 8 rows of `out`, columns faster; then over
/// groups of 8 items, one a warp. Each element is written by one thread. No barriers.
__global__ void __launch_bounds__(kPrepareThreads)
    prepare_scores_kernel(ConstMatrix weight, ConstMatrix bias, Span<const int32_t> items, LogQ logq, Matrix item_rows,
                          Matrix out, int64_t term_blocks) {
  const int64_t block = blockIdx.x;
  if (block >= term_blocks) {
    const int64_t place = (block - term_blocks) * kGatherRows + threadIdx.x / kWarp;
    if (place >= items.size) return;
    const int32_t item = items[place];
    for (int64_t d = threadIdx.x % kWarp; d < weight.cols; d += kWarp) {
      item_rows(place, d) = item == kNoItem ? 0.0f : weight(item, d);
    }
    return;
  }
  const int64_t column_blocks = (out.cols + kPrepareThreads - 1) / kPrepareThreads;
  const int64_t col = block % column_blocks * kPrepareThreads + threadIdx.x;
  if (col >= out.cols) return;
  const int64_t item = items.empty() ? col : items[col];
  float term = item == kNoItem ? 0.0f : bias(item, 0);
  if (logq.log_support != nullptr && item != kNoItem) {
    term -= (col < logq.targets ? logq.target_coefficient : logq.sample_coefficient) * logq.log_support[item];
  }
  const int64_t first = block / column_blocks * kTermRows;
  const int64_t last = first + kTermRows < out.rows ? first + kTermRows : out.rows;
  for (int64_t row = first; row < last; ++row) out(row, col) = term;
}

void CudaBackend::do_scores(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> items,
                            const LogQ& logq, Matrix out) {
  // The column's terms are written first and the product is added to them: as many bytes as adding them afterwards, and
  // a launch less, as the gather shares theirs.
  Matrix item_rows;
  if (!items.empty()) {
    item_rows = Matrix(item_rows_.reserve(items.size * weight.cols), items.size, weight.cols);
  }
  const int64_t term_blocks = int64_t{blocks_for(out.cols, kPrepareThreads)} * int64_t{blocks_for(out.rows, kTermRows)};
  const int64_t gather_blocks = blocks_for(items.size, kGatherRows);
  launch(prepare_scores_kernel, static_cast<unsigned>(term_blocks + gather_blocks), kPrepareThreads, 0, stream(),
         weight, bias, items, logq, item_rows, out, term_blocks);
  gemm_.multiply({hidden}, {items.empty() ? weight : ConstMatrix(item_rows), true}, true, out);
}

void CudaBackend::do_scores_backward(ConstMatrix score_gradient, ConstMatrix hidden, ConstMatrix weight,
                                     Span<const int32_t> items, Matrix hidden_gradient, Matrix weight_gradient,
                                     Matrix bias_gradient) {
  {
    const BranchScope branch(*this, Branch::rows);
    gemm_.multiply({score_gradient, true}, {hidden}, false, weight_gradient);
    column_sums(score_gradient, bias_gradient.data, bias_gradient.stride, false, stream());
  }
  // do_scores has left the rows of these items.
  const ConstMatrix item_rows =
      items.empty() ? weight : ConstMatrix(item_rows_.reserve(items.size * weight.cols), items.size, weight.cols);
  gemm_.multiply({score_gradient}, {item_rows}, false, hidden_gradient);
}

}  // namespace gru4rec::cuda
