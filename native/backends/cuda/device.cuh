#pragma once

#include <cstdint>
#include <utility>

#include "backends/cuda/runtime.h"

/// What every kernel goes through. The emulated build (native/emulator) compiles the
/// same text; it brings its own shared memory, so that what is declared in another way does not compile there.
#ifndef GRU_SHARED
/// An array or a variable that a block shares: GRU_SHARED(float, sums, [32]); GRU_SHARED(int, count, );
#define GRU_SHARED(type, name, ...) __shared__ type name __VA_ARGS__
/// The shared memory whose size the launch gives, aligned to 16 bytes. Once a kernel.
#define GRU_DYNAMIC_SHARED(type, name)                                \
  extern __shared__ __align__(16) unsigned char gru_dynamic_shared[]; \
  type* name = reinterpret_cast<type*>(gru_dynamic_shared)
#endif

namespace gru4rec::cuda {

/// Starts a kernel; the only way to do so.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream,
            Arguments&&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  GRU_CHECK(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...));
}

constexpr unsigned kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;
/// Blocks that a grid has at most in its second dimension.
constexpr int64_t kMaxGridY = 65535;

/// Blocks of `per` elements that cover `count`.
inline unsigned blocks_for(int64_t count, int64_t per) { return static_cast<unsigned>((count + per - 1) / per); }

/// The same value in every lane: the sum over the warp, in a fixed order.
template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(kAllLanes, value, offset);
  return value;
}

__device__ __forceinline__ float warp_max(float value) {
  for (int offset = kWarp / 2; offset > 0; offset /= 2) {
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, offset));
  }
  return value;
}

/// The sum over a block of kThreads, in every thread and in a fixed order; every thread of the block calls it.
/// @param scratch  shared, [kThreads / 32], free before and after the call
template <int kThreads, class T>
__device__ __forceinline__ T block_sum(T value, T* scratch) {
  constexpr int kWarps = kThreads / static_cast<int>(kWarp);
  const int lane = static_cast<int>(threadIdx.x % kWarp), warp = static_cast<int>(threadIdx.x / kWarp);
  value = warp_sum(value);
  if (lane == 0) scratch[warp] = value;
  __syncthreads();  // all warps' sums are there
  value = warp_sum(lane < kWarps ? scratch[lane] : T{});
  __syncthreads();  // all have read, `scratch` is free
  return value;
}

/// As block_sum, the largest.
template <int kThreads>
__device__ __forceinline__ float block_max(float value, float* scratch) {
  constexpr int kWarps = kThreads / static_cast<int>(kWarp);
  const int lane = static_cast<int>(threadIdx.x % kWarp), warp = static_cast<int>(threadIdx.x / kWarp);
  value = warp_max(value);
  if (lane == 0) scratch[warp] = value;
  __syncthreads();  // all warps' values are there
  value = warp_max(lane < kWarps ? scratch[lane] : scratch[0]);
  __syncthreads();  // all have read, `scratch` is free
  return value;
}

}  // namespace gru4rec::cuda
