#pragma once

#include <cmath>

#include "backends/cuda/device.cuh"
#include "backends/cuda/sort.h"

/// Scores of rankings as they are compared.
namespace gru4rec::cuda {

__device__ __forceinline__ bool is_finite(float score) { return fabsf(score) < INFINITY; }

/// Ascending keys are descending scores, and equal scores by ascending item. `score` is finite, so it is not kNoKey.
__device__ __forceinline__ Key score_key(float score, int32_t item) {
  const uint32_t bits = __float_as_uint(score + 0.0f);  // -0 becomes 0: they are equal
  const uint32_t descending = bits >> 31 != 0 ? bits : bits ^ 0x7fffffffu;
  return static_cast<Key>(descending) << 32 | static_cast<Key>(item);
}

__device__ __forceinline__ float score_of(Key key) {
  const uint32_t descending = static_cast<uint32_t>(key >> 32);
  return __uint_as_float(descending >> 31 != 0 ? descending : descending ^ 0x7fffffffu);
}

__device__ __forceinline__ int32_t item_of(Key key) { return static_cast<int32_t>(key & 0x7fffffffu); }

}  // namespace gru4rec::cuda
