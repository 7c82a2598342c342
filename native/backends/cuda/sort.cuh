#pragma once

#include "backends/cuda/device.cuh"
#include "backends/cuda/sort.h"

/// Sorting and searching of 64-bit keys. A key carries in its lower half what tells equal upper halves apart, so the
/// order is total and the outcome does not depend on how the keys were compared.
namespace gru4rec::cuda {

/// How many of `sorted` [size], ascending, are below `key`.
template <class T>
__device__ __forceinline__ int64_t count_below(const T* sorted, int64_t size, T key) {
  int64_t low = 0;
  while (size > 0) {
    const int64_t half = size / 2;
    if (sorted[low + half] < key) {
      low += half + 1;
      size -= half + 1;
    } else {
      size = half;
    }
  }
  return low;
}

template <class T>
__device__ __forceinline__ bool contains(const T* sorted, int64_t size, T key) {
  const int64_t place = count_below(sorted, size, key);
  return place < size && sorted[place] == key;
}

/// The smallest power of two that is at least `n`.
__device__ __forceinline__ int power_of_two_from(int n) {
  int power = 1;
  while (power < n) power *= 2;
  return power;
}

/// Sorts keys[0 .. n) ascending, a bitonic network; `keys` is shared, n a power of two. Every thread of the block calls
/// it, after a barrier behind the writes of `keys`; it ends with one.
template <int kThreads>
__device__ __forceinline__ void block_sort(Key* keys, int n) {
  constexpr int kWarpReach = static_cast<int>(kWarp);
  for (int size = 2; size <= n; size *= 2) {
    for (int stride = size / 2; stride > 0; stride /= 2) {
      for (int pair = static_cast<int>(threadIdx.x); pair < n / 2; pair += kThreads) {
        const int low = 2 * pair - (pair & (stride - 1)), high = low + stride;
        const Key a = keys[low], b = keys[high];
        const bool ascending = (low & size) == 0;
        if ((a > b) == ascending) {
          keys[low] = b;
          keys[high] = a;
        }
      }
      // The 32 pairs of a warp are the same 64 keys for every stride up to 32: between two such only the warp waits.
      const int next = stride > 1 ? stride / 2 : size;
      if (stride > kWarpReach || next > kWarpReach) {
        __syncthreads();  // the next stride reads what other warps have written
      } else {
        __syncwarp();  // the next stride reads what other lanes have written
      }
    }
  }
  __syncthreads();  // sorted for whoever reads it, also where the last strides were a warp's own
}

/// keys [rows, length] <- load(row, i), each kRun of them sorted. Block (x, y) sorts run x of row y and alone writes
/// it, so `load` may read the same keys.
template <int kThreads, class Load>
__global__ void __launch_bounds__(kThreads) sort_runs_kernel(Load load, int64_t length, Key* keys) {
  GRU_SHARED(Key, run, [kRun]);
  const int64_t row = blockIdx.y, first = blockIdx.x * kRun;
  const int size = static_cast<int>(length - first < kRun ? length - first : kRun), padded = power_of_two_from(size);
  for (int i = static_cast<int>(threadIdx.x); i < padded; i += kThreads) {
    run[i] = i < size ? load(row, first + i) : kNoKey;
  }
  __syncthreads();  // all keys are there
  block_sort<kThreads>(run, padded);
  for (int i = static_cast<int>(threadIdx.x); i < size; i += kThreads) keys[row * length + first + i] = run[i];
}

/// sort_runs_kernel for keys [rows, length] of at least one element, rows below 65,536.
template <int kThreads, class Load>
void sort_runs(const Load& load, int64_t rows, int64_t length, Key* keys, cudaStream_t stream) {
  launch(sort_runs_kernel<kThreads, Load>, dim3(blocks_for(length, kRun), static_cast<unsigned>(rows)), kThreads, 0,
         stream, load, length, keys);
}

}  // namespace gru4rec::cuda
