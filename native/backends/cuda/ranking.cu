#include <cmath>

#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/device.cuh"
#include "backends/cuda/score.cuh"

namespace gru4rec::cuda {

/// Rows ranked at once by a list of candidates: each adds its target as a column.
constexpr int64_t kListedRows = 512;

/// target_scores [R] <- the scores of the targets that are fresh in this tile, and zero counts for their rows; every
/// target is fresh in one tile. A thread a row.
/// @param listed  columns in front of the targets, which are the last columns; -1 = a target's column is its item
__global__ void __launch_bounds__(kRowThreads)
    pick_targets_kernel(ScoreTile tile, const int32_t* targets, int64_t listed, float* target_scores, int32_t* greater,
                        int32_t* equal, int32_t* bad) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kRowThreads + threadIdx.x;
  if (row >= tile.products.rows) return;
  const int64_t column = (listed >= 0 ? listed + row : targets[row]) - tile.first;
  if (column < tile.fresh || column >= tile.products.cols) return;
  target_scores[row] = tile.score(row, column, targets[row]);
  greater[row] = 0;
  equal[row] = 0;
  bad[row] = 0;
}

/// Adds to greater, equal and bad [R] what the fresh columns of a tile say; column j of all counts below `counted`. A
/// block looks at a part of a row, and each of its warps adds three integers, whose sum does not depend on the order.
__global__ void __launch_bounds__(kTileThreads)
    count_ranks_kernel(ScoreTile tile, int64_t counted, const int32_t* targets, const float* target_scores,
                       int32_t* greater, int32_t* equal, int32_t* bad) {
  const int64_t row = blockIdx.x / tile.parts, part = blockIdx.x % tile.parts;
  const int64_t end = tile.end(part) < counted - tile.first ? tile.end(part) : counted - tile.first;
  const int32_t target = targets[row];
  const float pivot = target_scores[row];
  int32_t above = 0, same = 0, not_finite = 0;
  for (int64_t column = tile.begin(part) + threadIdx.x; column < end; column += kTileThreads) {
    const int32_t item = tile.item(column);
    if (item == target) continue;
    const float score = tile.score(row, column, item);
    above += score > pivot ? 1 : 0;
    same += score == pivot ? 1 : 0;
    not_finite += is_finite(score) ? 0 : 1;
  }
  above = warp_sum(above);
  same = warp_sum(same);
  not_finite = warp_sum(not_finite);
  if (threadIdx.x % kWarp == 0) {
    if (above != 0) atomicAdd(greater + row, above);
    if (same != 0) atomicAdd(equal + row, same);
    if (not_finite != 0) atomicAdd(bad + row, not_finite);
  }
}

/// Marks the rows that have a score which is not finite, their target's included. A thread a row.
__global__ void __launch_bounds__(kRowThreads)
    mark_ranks_kernel(int64_t rows, const float* target_scores, const int32_t* bad, int32_t* greater, int32_t* equal) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * kRowThreads + threadIdx.x;
  if (row >= rows || (bad[row] == 0 && is_finite(target_scores[row]))) return;
  greater[row] = kNotFinite;
  equal[row] = kNotFinite;
}

ScoreTile CudaBackend::score_tile(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, const int32_t* items,
                                  const TileShape& shape, int64_t tile) {
  const int64_t first = shape.first_column(tile);
  ConstMatrix rows;
  if (items == nullptr) {
    rows = weight.row_range(first, shape.width);
  } else {
    const Matrix gathered(item_rows_.reserve(shape.width * weight.cols), shape.width, weight.cols);
    gather_rows(weight, {items + first, shape.width}, Dropout{}, gathered);
    rows = gathered;
  }
  const Matrix products(tile_scores_.reserve(hidden.rows * shape.stride()), hidden.rows, shape.width, shape.stride());
  gemm_.multiply({hidden}, {rows, true}, false, products);
  return {products, bias, items, first, shape.fresh(tile), shape.parts, shape.part_width};
}

void CudaBackend::do_target_ranks(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> targets,
                                  const Candidates& candidates, Span<int32_t> greater, Span<int32_t> equal) {
  const int64_t at_once =
      candidates.restricted ? std::min(tile_rows(candidates.items.size), kListedRows) : tile_rows(weight.rows);
  for (int64_t row = 0; row < hidden.rows; row += at_once) {
    const int64_t size = std::min(at_once, hidden.rows - row);
    rank_rows(hidden.row_range(row, size), weight, bias, targets.range(row, size), candidates, greater.range(row, size),
              equal.range(row, size));
  }
}

void CudaBackend::rank_rows(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> targets,
                            const Candidates& candidates, Span<int32_t> greater, Span<int32_t> equal) {
  const int64_t rows = hidden.rows, counted = candidates.restricted ? candidates.items.size : weight.rows;
  const int32_t* items = nullptr;
  int64_t columns = counted, listed = -1;
  if (candidates.restricted) {
    // The targets are columns behind the candidates: their scores come from the same product, and are not counted.
    columns = counted + rows;
    listed = counted;
    int32_t* joined = tile_items_.reserve(columns);
    const auto append = [&](Span<const int32_t> from, int32_t* to) {
      if (from.empty()) return;
      GRU_CHECK(cudaMemcpyAsync(to, from.data, static_cast<size_t>(from.size) * sizeof(int32_t),
                                cudaMemcpyDeviceToDevice, stream()));
    };
    append(candidates.items, joined);
    append(targets, joined + counted);
    items = joined;
  }
  const TileShape shape(rows, items != nullptr ? weight.cols : 0, columns);
  float* target_scores = target_scores_.reserve(rows);
  int32_t* bad = bad_scores_.reserve(rows);

  const auto pick = [&](const ScoreTile& tile) {
    launch(pick_targets_kernel, blocks_for(rows, kRowThreads), kRowThreads, 0, stream(), tile, targets.data, listed,
           target_scores, greater.data, equal.data, bad);
  };
  const auto count = [&](const ScoreTile& tile) {
    launch(count_ranks_kernel, static_cast<unsigned>(rows * shape.parts), kTileThreads, 0, stream(), tile, counted,
           targets.data, static_cast<const float*>(target_scores), greater.data, equal.data, bad);
  };
  if (shape.tiles() == 1) {
    const ScoreTile tile = score_tile(hidden, weight, bias, items, shape, 0);
    pick(tile);
    count(tile);
  } else {
    for (int64_t t = 0; t < shape.tiles(); ++t) pick(score_tile(hidden, weight, bias, items, shape, t));
    for (int64_t t = 0; t < shape.tiles(); ++t) count(score_tile(hidden, weight, bias, items, shape, t));
  }
  launch(mark_ranks_kernel, blocks_for(rows, kRowThreads), kRowThreads, 0, stream(), rows,
         static_cast<const float*>(target_scores), static_cast<const int32_t*>(bad), greater.data, equal.data);
}

}  // namespace gru4rec::cuda
