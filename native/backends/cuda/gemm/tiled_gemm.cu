#include "backends/cuda/gemm/tiled_gemm.h"

#include <algorithm>

#include "backends/cuda/device.cuh"

namespace gru4rec::cuda {

namespace {

constexpr int kThreads = 256;
/// Threads of a block stand in a square; each makes every 16th row and every 16th column of the block's tile.
constexpr int kSide = 16;
constexpr int kTileCols = 64;
/// Terms of the sums that are in shared memory at a time.
constexpr int kDepth = 16;
constexpr int kColsPerThread = kTileCols / kSide;

}  // namespace

/// Places `kRows` x kDepth elements of a factor, rows from `first_row` and terms from `first_term` on, as
/// tile[term][row]. Zeros stand outside the factor. Neighbouring threads read neighbouring elements. Every thread of
/// the block takes part.
template <int kRows, bool kAlongRows>
__device__ __forceinline__ void load_tile(const float* data, int64_t stride, int64_t rows, int64_t terms,
                                          int64_t first_row, int64_t first_term, float (*tile)[kRows + 1]) {
  for (int e = static_cast<int>(threadIdx.x); e < kRows * kDepth; e += kThreads) {
    const int row = kAlongRows ? e % kRows : e / kDepth;
    const int term = kAlongRows ? e / kRows : e % kDepth;
    const int64_t r = first_row + row, t = first_term + term;
    const int64_t place = kAlongRows ? t * stride + r : r * stride + t;
    tile[term][row] = r < rows && t < terms ? data[place] : 0.0f;
  }
}

/// out [m, n] <- a [m, k] b [k, n] (+ out). Blocks of 256 threads, one a tile of kTileRows x 64 elements: blockIdx.x
/// counts tiles along the columns, blockIdx.y along the rows, in steps of the grid. A thread keeps its kTileRows / 16 x
/// 4 sums in registers and alone writes these elements. Unrolled over all 16 terms of a tile, it would spill some
/// registers.
template <int kTileRows, bool kTransposedA, bool kTransposedB>
__global__ void __launch_bounds__(kThreads)
    tiled_gemm(ConstMatrix a, ConstMatrix b, int64_t terms, bool accumulate, Matrix out) {
  constexpr int kRowsPerThread = kTileRows / kSide;
  GRU_SHARED(float, a_tile, [kDepth][kTileRows + 1]);
  GRU_SHARED(float, b_tile, [kDepth][kTileCols + 1]);
  const int x = static_cast<int>(threadIdx.x) % kSide, y = static_cast<int>(threadIdx.x) / kSide;
  const int64_t first_col = static_cast<int64_t>(blockIdx.x) * kTileCols;
  for (int64_t first_row = static_cast<int64_t>(blockIdx.y) * kTileRows; first_row < out.rows;
       first_row += static_cast<int64_t>(gridDim.y) * kTileRows) {
    float sums[kRowsPerThread][kColsPerThread] = {};
    for (int64_t term = 0; term < terms; term += kDepth) {
      load_tile<kTileRows, kTransposedA>(a.data, a.stride, out.rows, terms, first_row, term, a_tile);
      load_tile<kTileCols, !kTransposedB>(b.data, b.stride, out.cols, terms, first_col, term, b_tile);
      __syncthreads();  // the tiles are complete
#pragma unroll 8
      for (int t = 0; t < kDepth; ++t) {
        float left[kRowsPerThread], right[kColsPerThread];
        for (int i = 0; i < kRowsPerThread; ++i) left[i] = a_tile[t][y + i * kSide];
        for (int j = 0; j < kColsPerThread; ++j) right[j] = b_tile[t][x + j * kSide];
        for (int i = 0; i < kRowsPerThread; ++i)
          for (int j = 0; j < kColsPerThread; ++j) sums[i][j] = fmaf(left[i], right[j], sums[i][j]);
      }
      __syncthreads();  // all have read the tiles, they may be filled again
    }
    for (int i = 0; i < kRowsPerThread; ++i) {
      const int64_t row = first_row + y + i * kSide;
      for (int j = 0; j < kColsPerThread; ++j) {
        const int64_t col = first_col + x + j * kSide;
        if (row < out.rows && col < out.cols) {
          float& element = out(row, col);
          element = accumulate ? element + sums[i][j] : sums[i][j];
        }
      }
    }
  }
}

namespace {

template <int kTileRows>
void launch_tiles(const Factor& a, const Factor& b, bool accumulate, Matrix out, cudaStream_t stream) {
  const auto kernel = a.transposed
                          ? (b.transposed ? tiled_gemm<kTileRows, true, true> : tiled_gemm<kTileRows, true, false>)
                          : (b.transposed ? tiled_gemm<kTileRows, false, true> : tiled_gemm<kTileRows, false, false>);
  const dim3 grid(blocks_for(out.cols, kTileCols),
                  static_cast<unsigned>(std::min<int64_t>(blocks_for(out.rows, kTileRows), kMaxGridY)));
  launch(kernel, grid, dim3(kThreads), 0, stream, a.matrix, b.matrix, a.cols(), accumulate, out);
}

}  // namespace

void tiled_multiply(const Factor& a, const Factor& b, bool accumulate, Matrix out, cudaStream_t stream) {
  // Few rows are the rule: those of a mini-batch.
  if (out.rows <= 32) {
    launch_tiles<32>(a, b, accumulate, out, stream);
  } else {
    launch_tiles<64>(a, b, accumulate, out, stream);
  }
}

}  // namespace gru4rec::cuda
