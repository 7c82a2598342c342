#pragma once

/// Derivatives by central differences, in float64.
namespace gru4rec::reference {

/// Step of a difference: the truncation, step^2 / 6 times the third derivative, and the rounding, 1e-16 / step, are
/// both near 1e-11 for values and derivatives near 1.
constexpr double kStep = 1e-5;
/// What that leaves of the difference from a derivative of size `scale`: third derivatives up to a thousand times it.
inline double difference_tolerance(double scale) { return 1e-7 * (1.0 + (scale < 0.0 ? -scale : scale)); }

/// Derivative of f() by `x`, which f reads. `x` is left as it was.
template <class F>
double derivative(F f, double& x) {
  const double at = x;
  x = at + kStep;
  const double above = f();
  x = at - kStep;
  const double below = f();
  x = at;
  return (above - below) / (2.0 * kStep);
}

}  // namespace gru4rec::reference
