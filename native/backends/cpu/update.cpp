#include <algorithm>
#include <cmath>

#include "backends/cpu/cpu_backend_impl.h"

namespace gru4rec::cpu {

namespace {

/// Parameters of the dense part that one task updates.
constexpr int64_t kDenseBlock = 4096;
/// Distinct items that one task updates.
constexpr int64_t kGroupBlock = 64;

/// Row 0 of `gradient` from column `col` on, as a sum of one row.
SummedRows single_row(ConstMatrix gradient, int64_t row, int64_t col, float scale) {
  static constexpr int32_t kFirst = 0;
  return {gradient.row(row) + col, 0, &kFirst, 1, scale};
}

/// The rows of `gradient` that belong to group `g`; occurrences beyond its rows do not count.
SummedRows rows_of_group(const RowGroups& groups, int64_t g, ConstMatrix gradient, float scale) {
  const int32_t* first = groups.occurrence.data + groups.start[g];
  const int32_t* last = groups.occurrence.data + groups.start[g + 1];
  while (last > first && last[-1] >= gradient.rows) --last;
  return {gradient.data, gradient.stride, first, last - first, scale};
}

UpdatedRow row_at(const TrainableMatrix& matrix, int64_t row, int64_t col) {
  const auto at = [&](Matrix state) { return state.empty() ? nullptr : state.row(row) + col; };
  return {at(matrix.value), at(matrix.first), at(matrix.second), at(matrix.velocity)};
}

AdamCorrection adam_correction(const Optimiser& optimiser, int32_t updates) {
  const double t = updates;
  return {static_cast<float>(1.0 / (1.0 - std::pow(static_cast<double>(optimiser.decay), t))),
          static_cast<float>(1.0 / (1.0 - std::pow(static_cast<double>(optimiser.second_decay), t)))};
}

}  // namespace

void CpuBackend::do_group_rows(Span<const int32_t> items, int64_t table_rows, const RowGroups& groups) {
  if (group_of_.size() < table_rows) std::fill_n(group_of_.reserve(table_rows), table_rows, 0);
  int32_t* group_of = group_of_.reserve(table_rows);  // group + 1; 0 = not seen
  int32_t* row_group = row_group_.reserve(items.size);

  // start[g + 1] is first the size of group g, then its first place, then, as it is filled, the place behind it.
  // Whether an item is new cannot be predicted, so nothing branches on it.
  int32_t* start = groups.start.data;
  std::fill_n(start, items.size + 1, 0);
  int32_t count = 0;
  for (int64_t i = 0; i < items.size; ++i) {
    if (items[i] == kNoItem) continue;
    const int32_t seen = group_of[items[i]];
    groups.item[count] = items[i];
    count += seen == 0 ? 1 : 0;
    const int32_t group = seen == 0 ? count : seen;
    group_of[items[i]] = group;
    ++start[group];
    row_group[i] = group;
  }
  int32_t before = 0;
  for (int32_t g = 0; g < count; ++g) {
    const int32_t size = start[g + 1];
    start[g + 1] = before;
    before += size;
  }
  for (int64_t i = 0; i < items.size; ++i) {
    if (items[i] != kNoItem) groups.occurrence[start[row_group[i]]++] = static_cast<int32_t>(i);
  }
  start[0] = 0;
  for (int32_t g = 0; g < count; ++g) group_of[groups.item[g]] = 0;
  *groups.count = count;
}

void CpuBackend::do_add_squared_norm(ConstMatrix gradient, double* total) {
  const int64_t blocks_per_row = (gradient.cols + kDenseBlock - 1) / kDenseBlock;
  const int64_t blocks = gradient.rows * blocks_per_row;
  double* sums = block_sums_.reserve(blocks);
  pool_.run(blocks, [&](int64_t block, int) {
    const int64_t first = block % blocks_per_row * kDenseBlock;
    sums[block] = kernels_.squared_norm(single_row(gradient, block / blocks_per_row, first, 1.0f),
                                        std::min(kDenseBlock, gradient.cols - first));
  });
  for (int64_t b = 0; b < blocks; ++b) *total += sums[b];
}

void CpuBackend::do_add_squared_norm_rows(const RowGroups& groups, ConstMatrix gradient, double* total) {
  const int64_t count = *groups.count;
  const int64_t blocks = (count + kGroupBlock - 1) / kGroupBlock;
  double* sums = block_sums_.reserve(blocks);
  for_blocks(count, kGroupBlock, [&](int64_t first, int64_t last) {
    double sum = 0.0;
    for (int64_t g = first; g < last; ++g) {
      const SummedRows rows = rows_of_group(groups, g, gradient, 1.0f);
      if (rows.count > 0) sum += kernels_.squared_norm(rows, gradient.cols);
    }
    sums[first / kGroupBlock] = sum;
  });
  for (int64_t b = 0; b < blocks; ++b) *total += sums[b];
}

void CpuBackend::do_clip_scale(double cap, double* total, float* scale) {
  const double norm = std::sqrt(*total);
  *scale = norm >= cap ? static_cast<float>(cap / norm) : 1.0f;
  *total = 0.0;
}

void CpuBackend::do_update_dense(const Optimiser& optimiser, ConstMatrix gradient, const float* scale,
                                 const TrainableMatrix& dense) {
  AdamCorrection correction;
  if (optimiser.kind == OptimiserKind::adam) correction = adam_correction(optimiser, ++dense.updates[0]);
  const float factor = scale != nullptr ? *scale : 1.0f;
  const int64_t blocks_per_row = (gradient.cols + kDenseBlock - 1) / kDenseBlock;
  pool_.run(gradient.rows * blocks_per_row, [&](int64_t block, int) {
    const int64_t row = block / blocks_per_row, first = block % blocks_per_row * kDenseBlock;
    kernels_.update(optimiser, correction, single_row(gradient, row, first, factor),
                    std::min(kDenseBlock, gradient.cols - first), row_at(dense, row, first));
  });
}

namespace {

/// update_rows for groups [first, last) of a table of one column, packed side by side: the biases.
void update_single_column(const Kernels& kernels, const Optimiser& optimiser, const RowGroups& groups,
                          ConstMatrix gradient, float factor, const TrainableMatrix& table, int64_t first,
                          int64_t last) {
  float sums[kGroupBlock], packed[4][kGroupBlock];
  int32_t items[kGroupBlock];
  int64_t count = 0;
  for (int64_t g = first; g < last; ++g) {
    const SummedRows rows = rows_of_group(groups, g, gradient, factor);
    if (rows.count == 0) continue;
    float sum = gradient(rows.rows[0], 0);
    for (int64_t i = 1; i < rows.count; ++i) sum += gradient(rows.rows[i], 0);
    sums[count] = sum;
    items[count++] = groups.item[g];
  }
  if (count == 0) return;
  const Matrix states[4] = {table.value, table.first, table.second, table.velocity};
  for (int s = 0; s < 4; ++s) {
    if (states[s].empty()) continue;
    for (int64_t j = 0; j < count; ++j) packed[s][j] = states[s](items[j], 0);
  }
  kernels.update(optimiser, {}, single_row(ConstMatrix(sums, 1, count), 0, 0, factor), count,
                 {packed[0], packed[1], packed[2], packed[3]});
  for (int s = 0; s < 4; ++s) {
    if (states[s].empty()) continue;
    for (int64_t j = 0; j < count; ++j) states[s](items[j], 0) = packed[s][j];
  }
}

}  // namespace

void CpuBackend::do_update_rows(const Optimiser& optimiser, const RowGroups& groups, ConstMatrix gradient,
                                const float* scale, const TrainableMatrix& table) {
  const float factor = scale != nullptr ? *scale : 1.0f;
  // adam corrects each row by a count of its own.
  const bool packs = table.value.cols == 1 && optimiser.kind != OptimiserKind::adam;
  for_blocks(*groups.count, kGroupBlock, [&](int64_t first, int64_t last) {
    if (packs) return update_single_column(kernels_, optimiser, groups, gradient, factor, table, first, last);
    AdamCorrection correction;
    for (int64_t g = first; g < last; ++g) {
      const SummedRows rows = rows_of_group(groups, g, gradient, factor);
      if (rows.count == 0) continue;
      const int64_t item = groups.item[g];
      if (optimiser.kind == OptimiserKind::adam) correction = adam_correction(optimiser, ++table.updates[item]);
      kernels_.update(optimiser, correction, rows, gradient.cols, row_at(table, item, 0));
    }
  });
}

}  // namespace gru4rec::cpu
