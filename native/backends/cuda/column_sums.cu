#include "backends/cuda/column_sums.h"

#include "backends/cuda/device.cuh"

namespace gru4rec::cuda {

/// Threads that share the rows of a column.
constexpr int kSumLanes = 16;

/// from [rows, cols], sums [cols] with a stride.
/// Block: [16, 32] threads for 32 columns, a warp a lane of rows, so that it reads whole lines; lane y adds row y and
/// every 16th behind it, in float. Grid: x over groups of columns.
/// Writes: a thread its part to shared memory; after the barrier, which waits for the parts, warp 0 adds a column's 16
/// parts in their order, in double, and writes its sum.
__global__ void __launch_bounds__(kWarp* kSumLanes)
    column_sums_kernel(ConstMatrix from, float* sums, int64_t stride, bool add) {
  GRU_SHARED(float, parts, [kSumLanes][kWarp]);
  const int64_t col = int64_t{blockIdx.x} * kWarp + threadIdx.x;
  const bool inside = col < from.cols;
  float part = 0.0f;
  if (inside) {
    for (int64_t row = threadIdx.y; row < from.rows; row += kSumLanes) part += from(row, col);
  }
  parts[threadIdx.y][threadIdx.x] = part;
  __syncthreads();
  if (threadIdx.y == 0 && inside) {
    double sum = 0.0;
    for (int lane = 0; lane < kSumLanes; ++lane) sum += static_cast<double>(parts[lane][threadIdx.x]);
    const auto rounded = static_cast<float>(sum);
    sums[col * stride] = add ? sums[col * stride] + rounded : rounded;
  }
}

void column_sums(ConstMatrix from, float* sums, int64_t stride, bool add, cudaStream_t stream) {
  launch(column_sums_kernel, blocks_for(from.cols, kWarp), dim3(kWarp, kSumLanes), 0, stream, from, sums, stride, add);
}

}  // namespace gru4rec::cuda
