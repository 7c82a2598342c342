#pragma once

#include "core/model_spec.h"
#include "reference/number.h"

namespace gru4rec::reference {

/// Activations of single values (docs/model.md, "GRU layer"); softmax and softmax_logit belong to the losses.
template <class T>
T activate(const Activation& activation, T x) {
  using std::tanh;
  const T alpha = double{activation.alpha}, lambda = double{activation.lambda};
  switch (activation.kind) {
    case ActivationKind::relu:
      return x < T(0.0) ? T(0.0) : x;
    case ActivationKind::tanh:
      return tanh(x);
    case ActivationKind::leaky:
      return x < T(0.0) ? alpha * x : x;
    case ActivationKind::elu:
      return x < T(0.0) ? alpha * exp_minus_one(x) : x;
    case ActivationKind::selu:
      return x < T(0.0) ? lambda * (alpha * exp_minus_one(x)) : lambda * x;
    default:
      return x;
  }
}

/// Derivatives below and above 0 differ by `jump`. A float32 evaluation of an x other than 0 but that near to it may
/// stand on either side, and so may one whose exp(x) rounds to 1.
inline double at_kink(double, double derivative, double) { return derivative; }
inline Number at_kink(Number x, Number derivative, double jump) {
  const bool exact = x.value == 0.0 && x.error == 0.0;
  const bool doubtful = !exact && std::abs(x.value) <= x.error + kUnit;
  return {derivative.value, derivative.error + (doubtful ? std::abs(jump) : 0.0)};
}

/// Derivative of the activation at x. At exactly 0 it is that of x > 0, but 0 for relu, also where relu goes by another
/// name: leaky-0 and elu-0.
template <class T>
T activate_slope(const Activation& activation, T x) {
  const bool is_relu = activation.kind == ActivationKind::relu || activation.alpha == 0.0f;
  const double alpha = is_relu ? 0.0 : activation.alpha, lambda = activation.lambda;
  const T y = activate(activation, x);
  const bool below = is_relu ? !(T(0.0) < x) : x < T(0.0);
  switch (activation.kind) {
    case ActivationKind::relu:
    case ActivationKind::leaky:
      return at_kink(x, T(below ? alpha : 1.0), 1.0 - alpha);
    case ActivationKind::elu:
      return at_kink(x, below ? y + T(alpha) : T(1.0), 1.0 - alpha);
    case ActivationKind::selu:
      return at_kink(x, below ? y + T(lambda) * T(alpha) : T(lambda), lambda * (1.0 - alpha));
    case ActivationKind::tanh:
      return T(1.0) - y * y;
    default:
      return T(1.0);
  }
}

}  // namespace gru4rec::reference
