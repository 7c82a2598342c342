#pragma once

#include <algorithm>

#include "backends/cuda/device.cuh"
#include "core/philox.h"

/// Work on single elements of matrices: the loops that every such kernel shares. What is done to an element is a
/// `Body`, a small struct with the views it needs, called as body(row, col) or, with dropout, body(row, col, factor).
/// Each element has one owner, so that a body may read and write its own element in place.
namespace gru4rec::cuda {

constexpr int kElementThreads = 256;
/// Columns of a long row that a thread takes, before there are more blocks.
constexpr int kElementsPerThread = 4;

/// body(row, col) for each element of [rows, cols].
/// Block: 256 threads, 2^lanes_log2 of them side by side on a row, so that neighbours touch neighbours; the others on
/// the rows below. Grid: x over groups of rows, y over pieces of a row; a thread goes on a whole grid of columns to the
/// right. No barriers.
template <class Body>
__global__ void __launch_bounds__(kElementThreads)
    elements_kernel(Body body, int64_t rows, int64_t cols, int lanes_log2) {
  const int64_t lanes = int64_t{1} << lanes_log2;
  const int64_t row = int64_t{blockIdx.x} * (kElementThreads >> lanes_log2) + (threadIdx.x >> lanes_log2);
  if (row >= rows) return;
  for (int64_t col = blockIdx.y * lanes + (threadIdx.x & (lanes - 1)); col < cols; col += gridDim.y * lanes) {
    body(row, col);
  }
}

/// body(row, col, factor) for each element of [rows, cols], `factor` the 0 or scale of its dropout.
/// Grid and block: x over the blocks of four random words, 256 a block; a thread draws one and does the four elements
/// that follow each other in the order of the words, across the ends of rows. No barriers.
template <class Body>
__global__ void __launch_bounds__(kElementThreads)
    dropout_elements_kernel(Body body, int64_t rows, int64_t cols, Dropout dropout) {
  const int64_t random_block = int64_t{blockIdx.x} * kElementThreads + threadIdx.x;
  const int64_t first = 4 * random_block, count = rows * cols;
  if (first >= count) return;
  const PhiloxBlock random = philox(dropout.stream_of_step(), static_cast<uint32_t>(random_block));
  int64_t row = first / cols, col = first % cols;
  for (int i = 0; i < 4; ++i) {
    if (first + i < count) body(row, col, dropout_factor(dropout, random.word[i]));
    if (++col == cols) {
      col = 0;
      ++row;
    }
  }
}

/// `value` under its dropout factor; what is dropped is 0, whatever it was.
__device__ __forceinline__ float keep(float value, float factor) { return factor == 0.0f ? 0.0f : value * factor; }

/// Runs body(row, col) for each element of [rows, cols]; nothing where there are none.
template <class Body>
void for_each_element(int64_t rows, int64_t cols, cudaStream_t stream, const Body& body) {
  if (rows == 0 || cols == 0) return;
  int lanes_log2 = 0;
  while ((1 << lanes_log2) < kElementThreads && (int64_t{1} << lanes_log2) < cols) ++lanes_log2;
  const int64_t pieces = blocks_for(cols, (int64_t{1} << lanes_log2) * kElementsPerThread);
  const dim3 grid(blocks_for(rows, kElementThreads >> lanes_log2), static_cast<unsigned>(std::min(pieces, kMaxGridY)));
  launch(elements_kernel<Body>, grid, kElementThreads, 0, stream, body, rows, cols, lanes_log2);
}

/// Runs body(row, col, factor), or body(row, col) where the dropout is not active: its `factor` has to default to 1.
template <class Body>
void for_each_element(int64_t rows, int64_t cols, const Dropout& dropout, cudaStream_t stream, const Body& body) {
  if (!dropout.active() || rows == 0 || cols == 0) return for_each_element(rows, cols, stream, body);
  const unsigned blocks = blocks_for(rows * cols, int64_t{4} * kElementThreads);
  launch(dropout_elements_kernel<Body>, blocks, kElementThreads, 0, stream, body, rows, cols, dropout);
}

}  // namespace gru4rec::cuda
