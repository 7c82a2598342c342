#pragma once

#include "backend/backend.h"
#include "backends/cuda/sort.cuh"

/// How blocks share out the groups of a RowGroups and their columns, and the sum of a group's rows.
namespace gru4rec::cuda {

constexpr int kGroupThreads = 256;

/// A block takes kGroupThreads / width groups times `width` columns. Narrow tables, down to a column of biases, keep
/// all threads at work, and many columns are spread over several blocks, so that an item with hundreds of rows does not
/// wait for one warp.
struct GroupShape {
  int width;       ///< threads side by side in a row, a power of two up to 32
  int64_t pieces;  ///< pieces of `width` columns

  explicit GroupShape(int64_t cols) : width(1) {
    while (width < cols && width < static_cast<int>(kWarp)) width *= 2;
    pieces = (cols + width - 1) / width;
  }
  constexpr int64_t groups_at_once() const { return kGroupThreads / width; }
};

/// The rows of a gradient that belong to a group.
struct GroupRows {
  const int32_t* row;
  int64_t count;
};

/// Occurrences that are not below `rows` do not count.
__device__ __forceinline__ GroupRows rows_of_group(const RowGroups& groups, int64_t group, int64_t rows) {
  const int32_t first = groups.start[group];
  const int32_t* occurrence = groups.occurrence.data + first;
  return {occurrence, count_below(occurrence, groups.start[group + 1] - first, static_cast<int32_t>(rows))};
}

/// The sum of one column, from the first row to the last; there is at least one. Eight rows at a time are under way.
__device__ __forceinline__ float sum_of_rows(ConstMatrix gradient, GroupRows rows, int64_t col) {
  constexpr int kAhead = 8;
  float sum = gradient(rows.row[0], col);
  int64_t i = 1;
  for (; i + kAhead <= rows.count; i += kAhead) {
    float next[kAhead];
    for (int j = 0; j < kAhead; ++j) next[j] = gradient(rows.row[i + j], col);
    for (int j = 0; j < kAhead; ++j) sum += next[j];
  }
  for (; i < rows.count; ++i) sum += gradient(rows.row[i], col);
  return sum;
}

}  // namespace gru4rec::cuda
