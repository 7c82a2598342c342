#include <algorithm>
#include <cstring>

#include "backends/cpu/cpu_backend_impl.h"
#include "backends/cpu/dropout.h"

namespace gru4rec::cpu {

namespace {

/// Elements that one block of a copying operation moves: large enough to pay for starting the threads.
constexpr int64_t kBlockElements = 16384;

int64_t rows_per_block(int64_t cols) { return std::max<int64_t>(1, kBlockElements / cols); }

}  // namespace

void apply_dropout(const Dropout& dropout, int64_t i, int64_t width, float* row) {
  const uint64_t first = static_cast<uint64_t>(i * width);
  PhiloxBlock block{};
  for (int64_t d = 0; d < width; ++d) {
    const uint64_t index = first + static_cast<uint64_t>(d);
    if (d == 0 || index % 4 == 0) block = philox(dropout.stream, static_cast<uint32_t>(index / 4));
    const float factor = dropout_factor(dropout, block.word[index % 4]);
    row[d] = factor == 0.0f ? 0.0f : row[d] * factor;
  }
}

void CpuBackend::do_fill(float value, Matrix out) {
  for_blocks(out.rows, rows_per_block(out.cols), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) std::fill_n(out.row(i), out.cols, value);
  });
}

void CpuBackend::do_copy(ConstMatrix from, Matrix out) {
  for_blocks(out.rows, rows_per_block(out.cols), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) std::copy_n(from.row(i), out.cols, out.row(i));
  });
}

void CpuBackend::do_gather_rows(ConstMatrix table, Span<const int32_t> rows, const Dropout& dropout, Matrix out) {
  for_blocks(out.rows, rows_per_block(out.cols), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      std::copy_n(table.row(rows[i]), out.cols, out.row(i));
      if (dropout.active()) apply_dropout(dropout, i, out.cols, out.row(i));
    }
  });
}

void CpuBackend::do_carry_state(ConstMatrix state, Span<const int32_t> source, Matrix out) {
  for_blocks(out.rows, rows_per_block(out.cols), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      if (source[i] < 0) {
        std::fill_n(out.row(i), out.cols, 0.0f);
      } else {
        std::copy_n(state.row(source[i]), out.cols, out.row(i));
      }
    }
  });
}

void CpuBackend::do_dropout_backward(const Dropout& dropout, Matrix gradient) {
  for_blocks(gradient.rows, rows_per_block(gradient.cols), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) apply_dropout(dropout, i, gradient.cols, gradient.row(i));
  });
}

}  // namespace gru4rec::cpu
