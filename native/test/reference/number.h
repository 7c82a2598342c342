#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

/// The reference computes in float64, in one of two ways that share their code: with plain doubles, and with Numbers,
/// which also carry how far a float32 computation of the same value may be off. So no tolerance is chosen by hand: each
/// compared element has its own, derived from its own sums and cancellations.
namespace gru4rec::reference {

/// Unit roundoff of float32: the relative error of one rounded operation.
constexpr double kUnit = 1.0 / 16777216.0;
/// Results below the smallest normal float may be flushed to zero.
constexpr double kTiny = 1.1754943508222875e-38;
/// Relative error allowed to exp, log, pow, sigmoid and tanh beyond that of their argument: 4 units in the last place.
constexpr double kFunction = 8.0 * kUnit;

/// A value and a bound of the error that a float32 evaluation has, to first order, in whatever order it sums.
struct Number {
  double value = 0.0;
  double error = 0.0;

  Number() = default;
  Number(double exact) : value(exact) {}  // NOLINT(google-explicit-constructor): inputs are exact
  Number(double value_, double error_) : value(value_), error(error_) {}
};

/// `value` after one more rounding; a zero without error stays one.
inline Number rounded(double value, double error) {
  if (value == 0.0 && error == 0.0) return {};
  return {value, error + kUnit * (std::abs(value) + error) + kTiny};
}

inline Number operator-(Number a) { return {-a.value, a.error}; }
inline Number operator+(Number a, Number b) { return rounded(a.value + b.value, a.error + b.error); }
inline Number operator-(Number a, Number b) { return rounded(a.value - b.value, a.error + b.error); }
inline Number operator*(Number a, Number b) {
  return rounded(a.value * b.value, std::abs(a.value) * b.error + std::abs(b.value) * a.error + a.error * b.error);
}
inline Number operator/(Number a, Number b) {
  const double quotient = a.value / b.value, smallest = std::abs(b.value) - b.error;
  if (!(smallest > 0.0)) return {quotient, std::numeric_limits<double>::infinity()};
  return rounded(quotient, (a.error + std::abs(quotient) * b.error) / smallest);
}
inline bool operator<(Number a, Number b) { return a.value < b.value; }

/// f(x) for an f that rises everywhere, with `own` as the error of f itself.
template <class F>
Number rising(F f, Number x, double own) {
  const double value = f(x.value);
  return {value, std::max(f(x.value + x.error) - value, value - f(x.value - x.error)) + own};
}

inline double sigmoid(double x) { return x < 0.0 ? std::exp(x) / (1.0 + std::exp(x)) : 1.0 / (1.0 + std::exp(-x)); }
inline double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

inline Number exp(Number x) {
  const double value = std::exp(x.value);
  return {value, value * (std::expm1(x.error) + kFunction) + kTiny};
}
inline Number log(Number x) {
  const double value = std::log(x.value);
  if (!(x.error < x.value)) return {value, std::numeric_limits<double>::infinity()};
  return {value, -std::log1p(-x.error / x.value) + kFunction * std::abs(value)};
}
inline Number sqrt(Number x) {
  const double value = std::sqrt(x.value);
  return {value, value - std::sqrt(std::max(x.value - x.error, 0.0)) + kUnit * value};
}
inline Number pow(Number x, double exponent) {
  const double value = std::pow(x.value, exponent);
  return {value, std::pow(x.value + x.error, exponent) - value + kFunction * value};
}
/// Relative, also where it is tiny: bpr-max takes its logarithm.
inline Number sigmoid(Number x) {
  const double value = sigmoid(x.value);
  return rising([](double v) { return sigmoid(v); }, x, kFunction * value + kTiny);
}
/// Absolute: 1 + exp(x) is rounded as a number of at least 1. As tanh and exp(x) - 1, it only ever enters sums.
inline Number softplus(Number x) {
  const double value = softplus(x.value);
  return rising([](double v) { return softplus(v); }, x, kFunction * std::max(1.0, value));
}
inline Number tanh(Number x) {
  return rising([](double v) { return std::tanh(v); }, x, kFunction);
}
/// exp(x) - 1
inline double exp_minus_one(double x) { return std::expm1(x); }
inline Number exp_minus_one(Number x) {
  return rising([](double v) { return std::expm1(v); }, x, kFunction * std::max(1.0, std::expm1(x.value)));
}

/// A sum. For Numbers its error holds for every order of the terms: n roundings of at most the sum of the magnitudes.
template <class T>
class Total {
 public:
  void add(T term) { value_ += term; }
  T sum() const { return value_; }

 private:
  T value_{};
};

template <>
class Total<Number> {
 public:
  void add(Number term) {
    value_ += term.value;
    magnitude_ += std::abs(term.value);
    error_ += term.error;
    ++terms_;
  }
  Number sum() const { return {value_, error_ + kUnit * static_cast<double>(terms_) * (magnitude_ + error_)}; }

 private:
  double value_ = 0.0, magnitude_ = 0.0, error_ = 0.0;
  int64_t terms_ = 0;
};

inline double value(double number) { return number; }
inline double value(Number number) { return number.value; }

}  // namespace gru4rec::reference
