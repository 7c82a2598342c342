#include <algorithm>

#include "backends/cpu/cpu_backend_impl.h"

namespace gru4rec::cpu {

namespace {

/// Elements that one block of a copying operation moves: large enough to pay for starting the threads.
constexpr int64_t kBlockElements = 16384;

int64_t rows_per_block(int64_t cols) { return std::max<int64_t>(1, kBlockElements / cols); }

}  // namespace

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
      if (rows[i] == kNoItem) {
        std::fill_n(out.row(i), out.cols, 0.0f);
      } else if (dropout.active()) {
        drop(dropout, i, table.row(rows[i]), out.cols, out.row(i));
      } else {
        std::copy_n(table.row(rows[i]), out.cols, out.row(i));
      }
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
    for (int64_t i = first; i < last; ++i) drop(dropout, i, gradient.row(i), gradient.cols, gradient.row(i));
  });
}

void CpuBackend::do_carry_items(Span<const int32_t> items, Span<const int32_t> source, Span<int32_t> out) {
  if (source.empty()) {
    std::copy(items.begin(), items.end(), out.data);
    std::fill(out.data + items.size, out.end(), kNoItem);
    return;
  }
  for (int64_t i = 0; i < source.size; ++i) out[i] = source[i] < 0 ? kNoItem : items[source[i]];
  std::fill(out.data + source.size, out.end(), kNoItem);
}

void CpuBackend::do_add(ConstMatrix from, Matrix out) {
  for_blocks(out.rows, rows_per_block(out.cols), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const float* row = from.row(i);
      float* to = out.row(i);
      for (int64_t d = 0; d < out.cols; ++d) to[d] += row[d];
    }
  });
}

void CpuBackend::do_multiply(ConstMatrix factor, Matrix out) {
  for_blocks(out.rows, rows_per_block(out.cols), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const float* row = factor.row(i);
      float* to = out.row(i);
      for (int64_t d = 0; d < out.cols; ++d) to[d] = row[d] == 0.0f ? 0.0f : to[d] * row[d];
    }
  });
}

}  // namespace gru4rec::cpu
