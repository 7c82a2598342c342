#include <algorithm>
#include <cmath>

#include "backends/cpu/cpu_backend_impl.h"

namespace gru4rec::cpu {

void CpuBackend::do_loss_gradient(const Loss& loss, int64_t divisor, Matrix scores, Span<float> row_losses) {
  const float scale = 1.0f / static_cast<float>(divisor);
  const int64_t work_size = 3 * scores.cols;
  float* work = row_work_.reserve(pool_.threads() * work_size);
  pool_.run(scores.rows, [&](int64_t i, int thread) {
    row_losses[i] =
        static_cast<float>(kernels_.loss_row(loss, i, scores.cols, scale, scores.row(i), work + thread * work_size));
  });
}

void CpuBackend::do_accumulate_loss(Span<const float> row_losses, int64_t divisor, LossTotals* totals) {
  double sum = 0.0;
  for (int64_t i = 0; i < row_losses.size; ++i) sum += static_cast<double>(row_losses[i]);
  const double loss = sum / static_cast<double>(divisor), weight = static_cast<double>(row_losses.size);
  if (!std::isfinite(loss) && totals->first_bad_step < 0) totals->first_bad_step = totals->steps;
  totals->weighted_sum += weight * loss;
  totals->weight += weight;
  ++totals->steps;
}

void CpuBackend::do_activate_scores(const Activation& activation, Matrix scores) {
  const int64_t rows_per_block = std::max<int64_t>(1, 4096 / scores.cols);
  for_blocks(scores.rows, rows_per_block, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) kernels_.activate(activation, scores.cols, scores.row(i));
  });
}

}  // namespace gru4rec::cpu
