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

}  // namespace gru4rec::cuda
