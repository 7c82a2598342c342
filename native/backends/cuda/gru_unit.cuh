#pragma once

#include "backends/cuda/activation.cuh"
#include "backends/cuda/elements.cuh"

/// A hidden unit of one row in plain numbers (docs/model.md, "GRU layer"): what the kernels of a layer's step share,
/// whoever makes their products. `r`, `z`, `c` are the activated gates, `h` is the old state.
namespace gru4rec::cuda {

/// Dropout of (1 - z) h + z c.
__device__ __forceinline__ float new_state(float z, float c, float h, float factor) {
  return keep(fmaf(z, c, (1.0f - z) * h), factor);
}

/// Gradient of the candidate before its activation, from that of the new state behind its dropout.
__device__ __forceinline__ float candidate_gradient(const Activation& activation, float of_state, float z, float c) {
  return of_state * z * activation_slope(activation, c);
}

/// Gradient of the update gate before its activation, from that of the new state behind its dropout.
__device__ __forceinline__ float update_gradient(float of_state, float z, float c, float h) {
  return of_state * (c - h) * (z * (1.0f - z));
}

/// The part of the old state's gradient that does not pass a gate's sum.
__device__ __forceinline__ float kept_gradient(float of_state, float z) { return of_state * (1.0f - z); }

/// Gradient of the reset gate before its activation, from that of r * `scaled`.
__device__ __forceinline__ float reset_gradient(float of_product, float scaled, float r) {
  return of_product * scaled * (r * (1.0f - r));
}

}  // namespace gru4rec::cuda
