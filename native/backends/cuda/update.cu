#include <algorithm>

#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/device.cuh"
#include "backends/cuda/groups.cuh"

namespace gru4rec::cuda {

constexpr int kUpdateThreads = 256;
/// Parameters of a row of the dense part that a block takes at once.
constexpr int64_t kDensePiece = 1024;

/// Factors of adam's moments after `updates` updates. In double: 1 - 0.999^t would lose digits.
__device__ __forceinline__ AdamCorrection adam_correction(const Optimiser& optimiser, int32_t updates) {
  const double t = updates;
  return {static_cast<float>(1.0 / (1.0 - pow(static_cast<double>(optimiser.decay), t))),
          static_cast<float>(1.0 / (1.0 - pow(static_cast<double>(optimiser.second_decay), t)))};
}

/// One optimiser step of one parameter with gradient `g`, by docs/model.md, "Optimisers". The optimiser is the same for
/// a whole launch, so that the switch does not split a warp.
__device__ __forceinline__ void update_parameter(const Optimiser& optimiser, const AdamCorrection& correction, float g,
                                                 const TrainableMatrix& matrix, int64_t row, int64_t col) {
  const float rate = optimiser.learning_rate, decay = optimiser.decay, second_decay = optimiser.second_decay;
  const float value = matrix.value(row, col);
  float step = g * rate;  // sgd
  switch (optimiser.kind) {
    case OptimiserKind::sgd:
      break;
    case OptimiserKind::adagrad: {
      const float a = fmaf(g, g, matrix.first(row, col));
      matrix.first(row, col) = a;
      step = g * rate / sqrtf(a + 1e-6f);
      break;
    }
    case OptimiserKind::rmsprop: {
      const float a = fmaf(matrix.first(row, col), decay, g * g * (1.0f - decay));
      matrix.first(row, col) = a;
      step = g * rate / sqrtf(a + 1e-6f);
      break;
    }
    case OptimiserKind::adadelta: {
      const float a = fmaf(matrix.first(row, col), decay, g * g * (1.0f - decay)), u = matrix.second(row, col);
      step = g * sqrtf((u + 1e-6f) / (a + 1e-6f));
      matrix.first(row, col) = a;
      matrix.second(row, col) = fmaf(u, decay, step * step * (1.0f - decay));
      break;
    }
    case OptimiserKind::adam: {
      const float m = fmaf(matrix.first(row, col), decay, g * (1.0f - decay));
      const float v = fmaf(matrix.second(row, col), second_decay, g * g * (1.0f - second_decay));
      matrix.first(row, col) = m;
      matrix.second(row, col) = v;
      step = m * (rate * correction.first) / (sqrtf(v * correction.second) + 1e-6f);
      break;
    }
  }
  if (optimiser.lmbd > 0.0f) step = fmaf(value, rate * optimiser.lmbd, step);
  if (optimiser.momentum > 0.0f) {
    step -= matrix.velocity(row, col) * optimiser.momentum;
    matrix.velocity(row, col) = -step;
  }
  matrix.value(row, col) = value - step;
}

/// Counts one more update of the dense part and leaves its correction for update_dense_kernel, whose blocks run in any
/// order and therefore must not count. One thread.
__global__ void count_dense_update_kernel(Optimiser optimiser, int32_t* updates, AdamCorrection* correction) {
  *updates += 1;
  *correction = adam_correction(optimiser, *updates);
}

/// A step for every element of dense [rows, cols]: block (x, y) takes kDensePiece columns of the rows y, y + gridDim.y,
/// …; each element has one thread. `scale` and `correction` may be null.
__global__ void __launch_bounds__(kUpdateThreads)
    update_dense_kernel(Optimiser optimiser, ConstMatrix gradient, const float* scale, const AdamCorrection* correction,
                        TrainableMatrix dense) {
  const float factor = scale != nullptr ? *scale : 1.0f;
  const AdamCorrection adam = correction != nullptr ? *correction : AdamCorrection{};
  const int64_t first = blockIdx.x * kDensePiece;
  const int64_t last = first + kDensePiece < gradient.cols ? first + kDensePiece : gradient.cols;
  for (int64_t row = blockIdx.y; row < gradient.rows; row += gridDim.y) {
    for (int64_t col = first + threadIdx.x; col < last; col += kUpdateThreads) {
      update_parameter(optimiser, adam, gradient(row, col) * factor, dense, row, col);
    }
  }
}

/// Counts one more update of each group's row and leaves its correction for update_rows_kernel, which spreads a row
/// over blocks: corrections [groups]. A thread a group; groups without a row of the gradient are left alone.
__global__ void __launch_bounds__(kUpdateThreads)
    count_row_updates_kernel(Optimiser optimiser, RowGroups groups, int64_t rows, int32_t* updates,
                             AdamCorrection* corrections) {
  const int64_t group = static_cast<int64_t>(blockIdx.x) * kUpdateThreads + threadIdx.x;
  if (group >= *groups.count || groups.occurrence[groups.start[group]] >= rows) return;
  int32_t& counter = updates[groups.item[group]];
  counter += 1;
  corrections[group] = adam_correction(optimiser, counter);
}

/// A step for the row of each group that has a row of gradient [rows, cols], with the sum of its rows. Block (x, y)
/// takes the groups x of GroupShape and of its pieces of columns y, y + gridDim.y, …; a thread an element. Blocks
/// beyond the number of groups leave. `scale` and `corrections` [groups] may be null.
__global__ void __launch_bounds__(kGroupThreads)
    update_rows_kernel(Optimiser optimiser, RowGroups groups, ConstMatrix gradient, GroupShape shape,
                       const float* scale, const AdamCorrection* corrections, TrainableMatrix table) {
  const int thread = static_cast<int>(threadIdx.x);
  const int64_t group = blockIdx.x * shape.groups_at_once() + thread / shape.width;
  if (group >= *groups.count) return;
  const GroupRows rows = rows_of_group(groups, group, gradient.rows);
  if (rows.count == 0) return;
  const float factor = scale != nullptr ? *scale : 1.0f;
  const AdamCorrection adam = corrections != nullptr ? corrections[group] : AdamCorrection{};
  const int64_t item = groups.item[group];
  for (int64_t piece = blockIdx.y; piece < shape.pieces; piece += gridDim.y) {
    const int64_t col = piece * shape.width + thread % shape.width;
    if (col < gradient.cols) {
      update_parameter(optimiser, adam, sum_of_rows(gradient, rows, col) * factor, table, item, col);
    }
  }
}

void CudaBackend::do_update_dense(const Optimiser& optimiser, ConstMatrix gradient, const float* scale,
                                  const TrainableMatrix& dense) {
  AdamCorrection* correction = nullptr;
  if (optimiser.kind == OptimiserKind::adam) {
    correction = dense_correction_.reserve(1);
    launch(count_dense_update_kernel, 1, 1, 0, stream(), optimiser, dense.updates.data, correction);
  }
  const dim3 grid(blocks_for(gradient.cols, kDensePiece), static_cast<unsigned>(std::min(gradient.rows, kMaxGridY)));
  launch(update_dense_kernel, grid, kUpdateThreads, 0, stream(), optimiser, gradient, scale,
         static_cast<const AdamCorrection*>(correction), dense);
}

void CudaBackend::do_update_rows(const Optimiser& optimiser, const RowGroups& groups, ConstMatrix gradient,
                                 const float* scale, const TrainableMatrix& table) {
  const int64_t most = groups.start.size - 1;
  if (most == 0) return;
  AdamCorrection* corrections = nullptr;
  if (optimiser.kind == OptimiserKind::adam) {
    corrections = adam_corrections_.reserve(most);
    launch(count_row_updates_kernel, blocks_for(most, kUpdateThreads), kUpdateThreads, 0, stream(), optimiser, groups,
           gradient.rows, table.updates.data, corrections);
  }
  const GroupShape shape(gradient.cols);
  const dim3 grid(blocks_for(most, shape.groups_at_once()), static_cast<unsigned>(std::min(shape.pieces, kMaxGridY)));
  launch(update_rows_kernel, grid, kGroupThreads, 0, stream(), optimiser, groups, gradient, shape, scale,
         static_cast<const AdamCorrection*>(corrections), table);
}

}  // namespace gru4rec::cuda
