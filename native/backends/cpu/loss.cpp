#include <algorithm>
#include <cmath>

#include "backends/cpu/cpu_backend_impl.h"

namespace gru4rec::cpu {

void CpuBackend::do_loss_gradient(const Loss& loss, int64_t divisor, const int32_t* active, Matrix scores,
                                  Span<float> row_losses) {
  const float scale = 1.0f / static_cast<float>(divisor);
  const int64_t rows = active != nullptr ? *active : scores.rows, gap = scores.rows - rows;
  const int64_t columns = scores.cols - gap, work_size = 4 * scores.cols;
  float* work = row_work_.reserve(pool_.threads() * work_size);
  pool_.run(scores.rows, [&](int64_t i, int thread) {
    float* row = scores.row(i);
    float* of_thread = work + thread * work_size;
    if (i >= rows) {
      std::fill_n(row, scores.cols, 0.0f);
      row_losses[i] = 0.0f;
    } else if (gap == 0) {
      row_losses[i] = static_cast<float>(kernels_.loss_row(loss, i, columns, scale, row, of_thread));
    } else {
      // The targets of the rows that are not there stand between those that are and the samples.
      float* close = of_thread + 3 * scores.cols;
      std::copy_n(row, rows, close);
      std::copy_n(row + scores.rows, columns - rows, close + rows);
      row_losses[i] = static_cast<float>(kernels_.loss_row(loss, i, columns, scale, close, of_thread));
      std::copy_n(close, rows, row);
      std::fill_n(row + rows, gap, 0.0f);
      std::copy_n(close + rows, columns - rows, row + scores.rows);
    }
  });
}

void CpuBackend::do_accumulate_loss(Span<const float> row_losses, int64_t divisor, StepState* state,
                                    LossTotals* totals) {
  double sum = 0.0;
  for (int64_t i = 0; i < row_losses.size; ++i) sum += static_cast<double>(row_losses[i]);
  const double loss = sum / static_cast<double>(divisor);
  const double weight = static_cast<double>(state != nullptr ? int64_t{state->active} : row_losses.size);
  if (!std::isfinite(loss) && totals->first_bad_step < 0) totals->first_bad_step = totals->steps;
  totals->weighted_sum += weight * loss;
  totals->weight += weight;
  ++totals->steps;
  if (state == nullptr) return;
  ++state->step;
  ++state->row;
}

void CpuBackend::do_activate_scores(const Activation& activation, Matrix scores) {
  const int64_t rows_per_block = std::max<int64_t>(1, 4096 / scores.cols);
  for_blocks(scores.rows, rows_per_block, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) kernels_.activate(activation, scores.cols, scores.row(i));
  });
}

}  // namespace gru4rec::cpu
