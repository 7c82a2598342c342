#pragma once

#include "backends/cpu/kernels/vector_math.h"
#include "core/model_spec.h"

/// Activations and their derivatives. `slope` takes the activated value: where alpha is above 0 its sign is that of the
/// argument.
namespace gru4rec::cpu::GRU_ISA {

struct Linear {
  GRU_INLINE Vec apply(Vec x) const { return x; }
  GRU_INLINE Vec slope(Vec) const { return splat(1.0f); }
};

/// Also the others with alpha = 0.
struct Relu {
  float lambda = 1.0f;
  GRU_INLINE Vec apply(Vec x) const { return select(x < Vec{}, Vec{}, x) * lambda; }
  GRU_INLINE Vec slope(Vec y) const { return select(y > Vec{}, splat(lambda), Vec{}); }
};

struct Tanh {
  GRU_INLINE Vec apply(Vec x) const { return tanh(x); }
  GRU_INLINE Vec slope(Vec y) const { return 1.0f - y * y; }
};

struct Leaky {
  float alpha;
  GRU_INLINE Vec apply(Vec x) const { return select(x < Vec{}, x * alpha, x); }
  GRU_INLINE Vec slope(Vec y) const { return select(y < Vec{}, splat(alpha), splat(1.0f)); }
};

/// selu; elu with lambda = 1.
struct Selu {
  float alpha, lambda;
  GRU_INLINE Vec apply(Vec x) const { return select(x < Vec{}, exp_minus_1(x) * alpha, x) * lambda; }
  GRU_INLINE Vec slope(Vec y) const { return select(y < Vec{}, y + alpha * lambda, splat(lambda)); }
};

/// Calls body(activation) with one of the above, so that the choice is made once and not for every element.
template <class Body>
GRU_INLINE void with_activation(const Activation& activation, Body body) {
  switch (activation.kind) {
    case ActivationKind::linear:
    case ActivationKind::softmax:
    case ActivationKind::softmax_logit:
      return body(Linear{});
    case ActivationKind::relu:
      return body(Relu{});
    case ActivationKind::tanh:
      return body(Tanh{});
    case ActivationKind::leaky:
      return activation.alpha > 0.0f ? body(Leaky{activation.alpha}) : body(Relu{});
    case ActivationKind::elu:
      return activation.alpha > 0.0f ? body(Selu{activation.alpha, 1.0f}) : body(Relu{});
    case ActivationKind::selu:
      return activation.alpha > 0.0f ? body(Selu{activation.alpha, activation.lambda}) : body(Relu{activation.lambda});
  }
}

}  // namespace gru4rec::cpu::GRU_ISA
