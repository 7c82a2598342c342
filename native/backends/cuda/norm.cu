#include <algorithm>

#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/device.cuh"
#include "backends/cuda/groups.cuh"

namespace gru4rec::cuda {

constexpr int kNormThreads = 256;
/// Partial sums at most; the number depends on the sizes alone, as the order of the sum does.
constexpr int64_t kMaxParts = 1024;
/// Elements of a row that a block takes at once.
constexpr int64_t kNormPiece = 4096;

/// parts [gridDim.x] <- sums of the squares of gradient [rows, cols]. The blocks take the pieces of kNormPiece columns
/// of all rows in turn, block b writes part b.
__global__ void __launch_bounds__(kNormThreads) squared_norm_kernel(ConstMatrix gradient, double* parts) {
  GRU_SHARED(double, scratch, [kNormThreads / kWarp]);
  const int64_t pieces = (gradient.cols + kNormPiece - 1) / kNormPiece;
  double sum = 0.0;
  for (int64_t task = blockIdx.x; task < gradient.rows * pieces; task += gridDim.x) {
    const int64_t first = task % pieces * kNormPiece;
    const int64_t last = first + kNormPiece < gradient.cols ? first + kNormPiece : gradient.cols;
    const float* row = gradient.row(task / pieces);
    for (int64_t col = first + threadIdx.x; col < last; col += kNormThreads) {
      const double g = row[col];
      sum += g * g;
    }
  }
  sum = block_sum<kNormThreads>(sum, scratch);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

/// parts [gridDim.x] <- sums of the squares of the groups' summed rows of gradient [rows, cols]. The blocks take the
/// pieces of GroupShape in turn, block b writes part b.
__global__ void __launch_bounds__(kGroupThreads)
    squared_norm_rows_kernel(RowGroups groups, ConstMatrix gradient, GroupShape shape, double* parts) {
  GRU_SHARED(double, scratch, [kGroupThreads / kWarp]);
  const int thread = static_cast<int>(threadIdx.x);
  const int64_t count = *groups.count, at_once = shape.groups_at_once();
  const int64_t tasks = (count + at_once - 1) / at_once * shape.pieces;
  double sum = 0.0;
  for (int64_t task = blockIdx.x; task < tasks; task += gridDim.x) {
    const int64_t group = task / shape.pieces * at_once + thread / shape.width;
    const int64_t col = task % shape.pieces * shape.width + thread % shape.width;
    if (group >= count || col >= gradient.cols) continue;
    const GroupRows rows = rows_of_group(groups, group, gradient.rows);
    if (rows.count == 0) continue;
    const double g = sum_of_rows(gradient, rows, col);
    sum += g * g;
  }
  sum = block_sum<kGroupThreads>(sum, scratch);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

/// total[0] += the sum of parts [count]. One block.
__global__ void __launch_bounds__(kNormThreads) add_parts_kernel(const double* parts, int64_t count, double* total) {
  GRU_SHARED(double, scratch, [kNormThreads / kWarp]);
  double sum = 0.0;
  for (int64_t i = threadIdx.x; i < count; i += kNormThreads) sum += parts[i];
  sum = block_sum<kNormThreads>(sum, scratch);
  if (threadIdx.x == 0) total[0] += sum;
}

/// scale[0] <- cap / norm where the norm is at least cap, else 1; total[0] <- 0. One thread.
__global__ void clip_scale_kernel(double cap, double* total, float* scale) {
  const double norm = sqrt(*total);
  *scale = norm >= cap ? static_cast<float>(cap / norm) : 1.0f;
  *total = 0.0;
}

void CudaBackend::do_add_squared_norm(ConstMatrix gradient, double* total) {
  const int64_t tasks = gradient.rows * ((gradient.cols + kNormPiece - 1) / kNormPiece);
  const int64_t count = std::min(tasks, kMaxParts);
  double* parts = norm_parts_.reserve(count);
  launch(squared_norm_kernel, static_cast<unsigned>(count), kNormThreads, 0, stream(), gradient, parts);
  launch(add_parts_kernel, 1, kNormThreads, 0, stream(), static_cast<const double*>(parts), count, total);
}

void CudaBackend::do_add_squared_norm_rows(const RowGroups& groups, ConstMatrix gradient, double* total) {
  const GroupShape shape(gradient.cols);
  const int64_t most = std::min<int64_t>(groups.start.size - 1, gradient.rows);
  const int64_t tasks = static_cast<int64_t>(blocks_for(most, shape.groups_at_once())) * shape.pieces;
  const int64_t count = std::clamp<int64_t>(tasks, 1, kMaxParts);
  double* parts = norm_parts_.reserve(count);
  launch(squared_norm_rows_kernel, static_cast<unsigned>(count), kGroupThreads, 0, stream(), groups, gradient, shape,
         parts);
  launch(add_parts_kernel, 1, kNormThreads, 0, stream(), static_cast<const double*>(parts), count, total);
}

void CudaBackend::do_clip_scale(double cap, double* total, float* scale) {
  launch(clip_scale_kernel, 1, 1, 0, stream(), cap, total, scale);
}

}  // namespace gru4rec::cuda
