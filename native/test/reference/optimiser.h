#pragma once

#include <cmath>
#include <cstdint>

#include "core/model_spec.h"
#include "reference/number.h"

/// The optimisers of docs/model.md, "Optimisers", one element at a time.
namespace gru4rec::reference {

/// One parameter and its optimiser state.
template <class T>
struct Element {
  T parameter{0.0};
  T first{0.0};     ///< adagrad, rmsprop, adadelta: a; adam: m
  T second{0.0};    ///< adadelta: u; adam: v
  T velocity{0.0};  ///< momentum
  int64_t updates = 0;
};

/// @param g  the summed gradient, already scaled.
template <class T>
void update(const Optimiser& optimiser, T g, Element<T>& e) {
  using std::pow;
  using std::sqrt;
  const T lr = double{optimiser.learning_rate}, epsilon = 1e-6, one = 1.0;
  const T decay = double{optimiser.decay}, second_decay = double{optimiser.second_decay};
  T d = lr * g;
  switch (optimiser.kind) {
    case OptimiserKind::sgd:
      break;
    case OptimiserKind::adagrad:
      e.first = e.first + g * g;
      d = lr * g / sqrt(e.first + epsilon);
      break;
    case OptimiserKind::rmsprop:
      e.first = decay * e.first + (one - decay) * (g * g);
      d = lr * g / sqrt(e.first + epsilon);
      break;
    case OptimiserKind::adadelta:
      e.first = decay * e.first + (one - decay) * (g * g);
      d = g * sqrt((e.second + epsilon) / (e.first + epsilon));
      e.second = decay * e.second + (one - decay) * (d * d);
      break;
    case OptimiserKind::adam: {
      const double t = static_cast<double>(++e.updates);
      e.first = decay * e.first + (one - decay) * g;
      e.second = second_decay * e.second + (one - second_decay) * (g * g);
      const T m = e.first / (one - pow(decay, t)), v = e.second / (one - pow(second_decay, t));
      d = lr * m / (sqrt(v) + epsilon);
      break;
    }
  }
  if (optimiser.lmbd > 0.0f) d = d + lr * T(double{optimiser.lmbd}) * e.parameter;
  if (optimiser.momentum > 0.0f) {
    e.velocity = T(double{optimiser.momentum}) * e.velocity - d;
    e.parameter = e.parameter + e.velocity;
  } else {
    e.parameter = e.parameter - d;
  }
}

}  // namespace gru4rec::reference
