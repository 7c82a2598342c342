#pragma once

#include "backends/cuda/device.cuh"
#include "core/model_spec.h"

/// Activations of single values and their derivatives, by the formulas of docs/model.md. The kind is the same for a
/// whole launch, so that the switch does not split a warp.
namespace gru4rec::cuda {

__device__ __forceinline__ float sigmoid(float x) {
  const float e = expf(-fabsf(x));  // never overflows
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

__device__ __forceinline__ float activate(const Activation& activation, float x) {
  switch (activation.kind) {
    case ActivationKind::relu:
      return x < 0.0f ? 0.0f : x;
    case ActivationKind::tanh:
      return tanhf(x);
    case ActivationKind::leaky:
      // With alpha = 0 it is relu, also of -infinity.
      return x < 0.0f ? (activation.alpha > 0.0f ? x * activation.alpha : 0.0f) : x;
    case ActivationKind::elu:
      return x < 0.0f ? expm1f(x) * activation.alpha : x;
    case ActivationKind::selu:
      return (x < 0.0f ? expm1f(x) * activation.alpha : x) * activation.lambda;
    default:
      return x;
  }
}

/// The derivative, from the activated value `y`: where alpha is above 0 its sign is that of the argument.
__device__ __forceinline__ float activation_slope(const Activation& activation, float y) {
  const bool positive = activation.alpha > 0.0f ? y >= 0.0f : y > 0.0f;
  switch (activation.kind) {
    case ActivationKind::relu:
      return y > 0.0f ? 1.0f : 0.0f;
    case ActivationKind::tanh:
      return 1.0f - y * y;
    case ActivationKind::leaky:
      return positive ? 1.0f : activation.alpha;
    case ActivationKind::elu:
      return positive ? 1.0f : y + activation.alpha;
    case ActivationKind::selu:
      return positive ? activation.lambda : y + activation.alpha * activation.lambda;
    default:
      return 1.0f;
  }
}

}  // namespace gru4rec::cuda
