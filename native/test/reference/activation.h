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

/// Derivatives below and from 0 differ. A float32 evaluation of an `x` that near to 0 may stand on either side, and so
/// may one whose exp(x) rounds to 1; at 0 itself docs/model.md names no derivative.
inline double at_kink(double, double derivative, double) { return derivative; }
inline Number at_kink(Number x, Number derivative, double jump) {
  return {derivative.value, derivative.error + (std::abs(x.value) <= x.error + kUnit ? std::abs(jump) : 0.0)};
}

/// Derivative of the activation at x.
template <class T>
T activate_slope(const Activation& activation, T x) {
  const double alpha = activation.alpha, lambda = activation.lambda;
  const T y = activate(activation, x);
  const bool below = x < T(0.0);
  switch (activation.kind) {
    case ActivationKind::relu:
      return at_kink(x, T(below ? 0.0 : 1.0), 1.0);
    case ActivationKind::tanh:
      return T(1.0) - y * y;
    case ActivationKind::leaky:
      return at_kink(x, T(below ? alpha : 1.0), 1.0 - alpha);
    case ActivationKind::elu:
      return at_kink(x, below ? y + T(alpha) : T(1.0), 1.0 - alpha);
    case ActivationKind::selu:
      return at_kink(x, below ? y + T(lambda) * T(alpha) : T(lambda), lambda * (1.0 - alpha));
    default:
      return T(1.0);
  }
}

}  // namespace gru4rec::reference
