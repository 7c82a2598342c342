#pragma once

#include "backends/cpu/kernels/activation_impl.h"
#include "backends/cpu/kernels/kernels.h"
#include "backends/cpu/kernels/loops_impl.h"

/// Losses of one row and their gradients (docs/model.md, "Scores and losses"). The row's own target is left out of
/// every sum over the others, so that a small sum is not lost beside the target's constant part.
namespace gru4rec::cpu::GRU_ISA {

/// Inside every logarithm of a probability.
constexpr double kEpsilon = 1e-24;

/// sigmoid(x) and its derivative, which keeps its relative accuracy at both ends.
struct Sigmoid {
  Vec value, slope;
};

GRU_INLINE Sigmoid sigmoid_and_slope(Vec x) {
  const Vec e = exp(-abs(x));
  const Vec inverse = 1.0f / (e + 1.0f);
  return {select(x < Vec{}, e, splat(1.0f)) * inverse, e * inverse * inverse};
}

/// sum_vectors over all columns but the target.
template <int kSums, class Body>
GRU_INLINE void sum_others(int64_t target, int64_t n, double* totals, const Body& body) {
  sum_vectors<kSums>(0, target, totals, body);
  sum_vectors<kSums>(target + 1, n, totals, body);
}

template <class Body>
GRU_INLINE void for_others(int64_t target, int64_t n, const Body& body) {
  for_vectors(0, target, body);
  for_vectors(target + 1, n, body);
}

GRU_INLINE float max_of_range(const float* row, int64_t first, int64_t last) {
  Vec largest = splat(-__builtin_inff());
  for_vectors(first, last, [&](auto at) { largest = max(largest, at.live(at.load(row), largest)); });
  return max_lane(largest);
}

/// Largest score of the others.
GRU_INLINE float max_of_others(const float* row, int64_t target, int64_t n) {
  const float before = max_of_range(row, 0, target), behind = max_of_range(row, target + 1, n);
  return before > behind ? before : behind;
}

GRU_INLINE float exp_of(float x) { return exp(splat(x))[0]; }

/// scores <- exp(score - max); returns the sum of all but the target's.
GRU_INLINE double exponentials(int64_t target, int64_t n, float* scores, float largest) {
  double others = 0.0;
  sum_others<1>(target, n, &others, [&](auto at, Vec* sums) {
    const Vec e = exp(at.load(scores) - largest);
    at.store(scores, e);
    sums[0] += at.live(e);
  });
  scores[target] = exp_of(scores[target] - largest);
  return others;
}

inline double cross_entropy_row(const Loss& loss, int64_t target, int64_t n, float scale, float* scores) {
  const float largest = __builtin_fmaxf(max_of_others(scores, target, n), scores[target]);
  const double others = exponentials(target, n, scores, largest);
  const double total = others + static_cast<double>(scores[target]);
  const double p = static_cast<double>(scores[target]) / total;
  const double share = p / (p + kEpsilon);
  const float inverse = static_cast<float>(1.0 / total);

  if (loss.smoothing == 0.0f) {
    const float factor = static_cast<float>(share / total * static_cast<double>(scale));
    for_vectors(0, n, [&](auto at) { at.store(scores, at.load(scores) * factor); });
    scores[target] = static_cast<float>(-share * (others / total) * static_cast<double>(scale));
    return -__builtin_log(p + kEpsilon);
  }

  const double rest = static_cast<double>(loss.smoothing) / static_cast<double>(n - 1);
  const double weight = 1.0 - static_cast<double>(n) * rest;
  const Vec epsilon = splat(static_cast<float>(kEpsilon));
  double sums[2] = {0.0, 0.0};  // of log(p_j + epsilon), of p_j / (p_j + epsilon)
  sum_vectors<2>(0, n, sums, [&](auto at, Vec* part) {
    const Vec share_of_column = at.load(scores) * inverse;
    part[0] += at.live(log(share_of_column + epsilon));
    part[1] += at.live(share_of_column / (share_of_column + epsilon));
  });
  const float factor = static_cast<float>((weight * share + rest * sums[1]) * static_cast<double>(scale));
  const float each = static_cast<float>(rest * static_cast<double>(scale));
  for_vectors(0, n, [&](auto at) {
    const Vec q = at.load(scores) * inverse;
    at.store(scores, q * factor - q / (q + epsilon) * each);
  });
  scores[target] -= static_cast<float>(weight * share * static_cast<double>(scale));
  return -weight * __builtin_log(p + kEpsilon) - rest * sums[0];
}

inline double xe_logit_row(const Loss& loss, int64_t target, int64_t n, float scale, float* scores) {
  const float target_score = scores[target];
  const float largest = __builtin_fmaxf(max_of_others(scores, target, n), target_score);
  double sum_of_scores = 0.0;
  if (loss.smoothing > 0.0f) {
    sum_vectors<1>(0, n, &sum_of_scores, [&](auto at, Vec* sums) { sums[0] += at.live(at.load(scores) - largest); });
  }
  const double others = exponentials(target, n, scores, largest);
  const double total = others + static_cast<double>(scores[target]);
  const double log_total = __builtin_log(total);
  const double term = log_total - static_cast<double>(target_score - largest);

  const double rest = static_cast<double>(loss.smoothing) / static_cast<double>(n - 1);
  const double weight = 1.0 - static_cast<double>(n) * rest;
  const float factor = static_cast<float>(static_cast<double>(scale) / total);
  const float each = static_cast<float>(rest * static_cast<double>(scale));
  for_vectors(0, n, [&](auto at) { at.store(scores, at.load(scores) * factor - each); });
  // p_t - weight - rest; the weights of all columns sum to 1.
  scores[target] =
      static_cast<float>((static_cast<double>(n - 1) * rest - others / total) * static_cast<double>(scale));
  return weight * term + rest * (static_cast<double>(n) * log_total - sum_of_scores);
}

template <class Act>
double bpr_row(const Act& act, int64_t target, int64_t n, float scale, float* scores) {
  const float t = scores[target];
  double sums[2] = {0.0, 0.0};  // softplus, sigmoid
  sum_others<2>(target, n, sums, [&](auto at, Vec* part) {
    const Vec a = at.load(scores), x = a - t;
    const Vec slope = sigmoid(x);
    part[0] += at.live(softplus(x));
    part[1] += at.live(slope);
    at.store(scores, slope * act.slope(a) * scale);
  });
  scores[target] = static_cast<float>(-sums[1]) * act.slope(splat(t))[0] * scale;
  return sums[0] + 0.69314718055994531;  // the target's own softplus(0)
}

template <class Act>
double bpr_max_row(const Act& act, float bpreg, int64_t target, int64_t n, float scale, float* scores, float* work) {
  const float t = scores[target];
  const float largest = max_of_others(scores, target, n);
  float *weights = work, *values = work + n, *slopes = work + 2 * n;
  double sums[4] = {0.0, 0.0, 0.0, 0.0};  // of e^(a - max) times 1, sigmoid, its derivative, a^2
  sum_others<4>(target, n, sums, [&](auto at, Vec* part) {
    const Vec a = at.load(scores);
    const Vec w = exp(a - largest);
    const Sigmoid f = sigmoid_and_slope(t - a);
    at.store(weights, w);
    at.store(values, f.value);
    at.store(slopes, f.slope);
    part[0] += at.live(w);
    part[1] += at.live(w * f.value);
    part[2] += at.live(w * f.slope);
    part[3] += at.live(w * (a * a));
  });
  const double win = sums[1] / sums[0], slope = sums[2] / sums[0], square = sums[3] / sums[0];
  const double strength = 1.0 / (win + kEpsilon);
  const float by_win = static_cast<float>(-strength);
  const float inverse = static_cast<float>(static_cast<double>(scale) / sums[0]);
  const float mean = static_cast<float>(win), mean_square = static_cast<float>(square);
  for_others(target, n, [&](auto at) {
    const Vec a = at.load(scores);
    const Vec by_sigmoid = (at.load(values) - mean - at.load(slopes)) * by_win;
    const Vec by_square = (a * a - mean_square + 2.0f * a) * bpreg;
    at.store(scores, (by_sigmoid + by_square) * (at.load(weights) * inverse) * act.slope(a));
  });
  scores[target] = static_cast<float>(-strength * slope) * act.slope(splat(t))[0] * scale;
  return -__builtin_log(win + kEpsilon) + static_cast<double>(bpreg) * square;
}

template <class Act>
double top1_row(const Act& act, int64_t target, int64_t n, float scale, float* scores) {
  const float t = scores[target];
  const float each = scale / static_cast<float>(n);
  double sums[2] = {0.0, 0.0};  // the terms, slopes of sigmoid(a - t)
  sum_others<2>(target, n, sums, [&](auto at, Vec* part) {
    const Vec a = at.load(scores);
    const Sigmoid difference = sigmoid_and_slope(a - t), square = sigmoid_and_slope(a * a);
    part[0] += at.live(difference.value + square.value);
    part[1] += at.live(difference.slope);
    at.store(scores, (difference.slope + 2.0f * a * square.slope) * act.slope(a) * each);
  });
  scores[target] = static_cast<float>(-sums[1]) * act.slope(splat(t))[0] * each;
  // The target's own sigmoid(0) stays, its sigmoid(t^2) is taken away.
  return (sums[0] + 0.5) / static_cast<double>(n);
}

template <class Act>
double top1_max_row(const Act& act, int64_t target, int64_t n, float scale, float* scores, float* work) {
  const float t = scores[target];
  const float largest = max_of_others(scores, target, n);
  float *weights = work, *terms = work + n, *slopes = work + 2 * n;
  double sums[3] = {0.0, 0.0, 0.0};  // of e^(a - max) times 1, the term, the slope of sigmoid(a - t)
  sum_others<3>(target, n, sums, [&](auto at, Vec* part) {
    const Vec a = at.load(scores);
    const Vec w = exp(a - largest);
    const Sigmoid difference = sigmoid_and_slope(a - t), square = sigmoid_and_slope(a * a);
    const Vec term = difference.value + square.value;
    at.store(weights, w);
    at.store(terms, term);
    at.store(slopes, difference.slope + 2.0f * a * square.slope);
    part[0] += at.live(w);
    part[1] += at.live(w * term);
    part[2] += at.live(w * difference.slope);
  });
  const double mean = sums[1] / sums[0];
  const float center = static_cast<float>(mean);
  const float inverse = static_cast<float>(static_cast<double>(scale) / sums[0]);
  for_others(target, n, [&](auto at) {
    const Vec gradient = (at.load(terms) - center + at.load(slopes)) * (at.load(weights) * inverse);
    at.store(scores, gradient * act.slope(at.load(scores)));
  });
  scores[target] = static_cast<float>(-sums[2]) * inverse * act.slope(splat(t))[0];
  return mean;
}

inline double loss_row(const Loss& loss, int64_t target, int64_t n, float scale, float* scores, float* work) {
  if (loss.kind == LossKind::cross_entropy) return cross_entropy_row(loss, target, n, scale, scores);
  if (loss.kind == LossKind::xe_logit) return xe_logit_row(loss, target, n, scale, scores);
  double result = 0.0;
  with_activation(loss.final_act, [&](auto act) {
    if (loss.final_act.kind != ActivationKind::linear) {
      for_vectors(0, n, [&](auto at) { at.store(scores, act.apply(at.load(scores))); });
    }
    switch (loss.kind) {
      case LossKind::bpr:
        result = bpr_row(act, target, n, scale, scores);
        break;
      case LossKind::bpr_max:
        result = bpr_max_row(act, loss.bpreg, target, n, scale, scores, work);
        break;
      case LossKind::top1:
        result = top1_row(act, target, n, scale, scores);
        break;
      default:
        result = top1_max_row(act, target, n, scale, scores, work);
    }
  });
  return result;
}

inline void activate(const Activation& activation, int64_t n, float* row) {
  if (activation.kind == ActivationKind::softmax) {
    const float largest = max_of_range(row, 0, n);
    double total = 0.0;
    sum_vectors<1>(0, n, &total, [&](auto at, Vec* sums) {
      const Vec e = exp(at.load(row) - largest);
      at.store(row, e);
      sums[0] += at.live(e);
    });
    const float inverse = static_cast<float>(1.0 / total);
    for_vectors(0, n, [&](auto at) { at.store(row, at.load(row) * inverse); });
    return;
  }
  with_activation(activation,
                  [&](auto act) { for_vectors(0, n, [&](auto at) { at.store(row, act.apply(at.load(row))); }); });
}

}  // namespace gru4rec::cpu::GRU_ISA
