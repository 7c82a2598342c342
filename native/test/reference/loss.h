#pragma once

#include <cstdint>
#include <vector>

#include "core/model_spec.h"
#include "reference/activation.h"
#include "reference/number.h"
#include "reference/table.h"

/// The losses of docs/model.md, "Scores and losses", term by term.
namespace gru4rec::reference {

constexpr double kEpsilon = 1e-24;

inline bool is_cross_entropy(const Loss& loss) {
  return loss.kind == LossKind::cross_entropy || loss.kind == LossKind::xe_logit;
}

/// softmax of `s`, over all columns but `left_out` (-1 = over all), which gets 0.
template <class T>
std::vector<T> softmax(const std::vector<T>& s, int64_t left_out) {
  using std::exp;
  const int64_t n = static_cast<int64_t>(s.size());
  int64_t best = -1;
  for (int64_t j = 0; j < n; ++j)
    if (j != left_out && (best < 0 || s[best] < s[j])) best = j;
  std::vector<T> weight(n, T(0.0));
  Total<T> total;
  for (int64_t j = 0; j < n; ++j) {
    if (j == left_out) continue;
    weight[j] = exp(s[j] - s[best]);
    total.add(weight[j]);
  }
  for (int64_t j = 0; j < n; ++j)
    if (j != left_out) weight[j] = weight[j] / total.sum();
  return weight;
}

/// s_j - max s
template <class T>
std::vector<T> minus_maximum(const std::vector<T>& s) {
  T best = s[0];
  for (const T& v : s)
    if (best < v) best = v;
  std::vector<T> shifted(s.size());
  for (size_t j = 0; j < s.size(); ++j) shifted[j] = s[j] - best;
  return shifted;
}

/// log of the sum of exp(s_j), for s_j <= 0
template <class T>
T log_sum_exp(const std::vector<T>& shifted) {
  using std::exp;
  using std::log;
  Total<T> total;
  for (const T& v : shifted) total.add(exp(v));
  return log(total.sum());
}

template <class T>
std::vector<T> activate_row(const Loss& loss, const std::vector<T>& raw) {
  std::vector<T> s(raw.size());
  for (size_t j = 0; j < raw.size(); ++j) s[j] = is_cross_entropy(loss) ? raw[j] : activate(loss.final_act, raw[j]);
  return s;
}

/// Term of one row, not divided. `target` is the column of the row's target.
template <class T>
T row_loss(const Loss& loss, const std::vector<T>& raw, int64_t target) {
  using std::log;
  const int64_t n = static_cast<int64_t>(raw.size());
  const std::vector<T> s = activate_row(loss, raw);
  const T t = s[target];
  Total<T> total;

  if (is_cross_entropy(loss)) {
    const bool logits = loss.kind == LossKind::xe_logit;
    const std::vector<T> p = softmax(s, -1), shifted = minus_maximum(s);
    const T normaliser = log_sum_exp(shifted);
    // -log(p_j), with the epsilon where the loss has one.
    const auto term = [&](int64_t j) { return logits ? normaliser - shifted[j] : -log(p[j] + T(kEpsilon)); };
    if (loss.smoothing == 0.0f) return term(target);
    const double e = loss.smoothing, columns = static_cast<double>(n);
    for (int64_t j = 0; j < n; ++j) total.add(term(j));
    return (T(1.0) - T(columns / (columns - 1.0)) * T(e)) * term(target) + T(e / (columns - 1.0)) * total.sum();
  }
  switch (loss.kind) {
    case LossKind::bpr:
      for (int64_t j = 0; j < n; ++j) total.add(softplus(s[j] - t));
      return total.sum();
    case LossKind::bpr_max: {
      const std::vector<T> w = softmax(s, target);
      Total<T> regularisation;
      for (int64_t j = 0; j < n; ++j) {
        total.add(w[j] * sigmoid(t - s[j]));
        regularisation.add(w[j] * (s[j] * s[j]));
      }
      return -log(total.sum() + T(kEpsilon)) + T(double{loss.bpreg}) * regularisation.sum();
    }
    case LossKind::top1: {
      for (int64_t j = 0; j < n; ++j) total.add(sigmoid(s[j] - t) + sigmoid(s[j] * s[j]));
      return total.sum() / T(static_cast<double>(n)) - sigmoid(t * t) / T(static_cast<double>(n));
    }
    default: {
      const std::vector<T> w = softmax(s, target);
      for (int64_t j = 0; j < n; ++j) total.add(w[j] * (sigmoid(s[j] - t) + sigmoid(s[j] * s[j])));
      return total.sum();
    }
  }
}

/// Derivatives of row_loss by the raw scores, not divided.
template <class T>
std::vector<T> row_loss_gradient(const Loss& loss, const std::vector<T>& raw, int64_t target) {
  const int64_t n = static_cast<int64_t>(raw.size());
  const double columns = static_cast<double>(n);
  const std::vector<T> s = activate_row(loss, raw);
  const T t = s[target];
  std::vector<T> gradient(n, T(0.0));

  if (is_cross_entropy(loss)) {
    // The term of column j, -log(p_j + eps), has the derivative q_j (p_k - [j = k]) by s_k, q_j = p_j / (p_j + eps),
    // and q_j = 1 without epsilon. The terms have the coefficients `share`, more for the target.
    const std::vector<T> p = softmax(s, -1);
    const T share = T(loss.smoothing / (columns - 1.0));
    const T own = T(1.0) - T(columns / (columns - 1.0)) * T(double{loss.smoothing});
    std::vector<T> coefficient(n);
    Total<T> total;
    for (int64_t j = 0; j < n; ++j) {
      const T q = loss.kind == LossKind::xe_logit ? T(1.0) : p[j] / (p[j] + T(kEpsilon));
      coefficient[j] = (j == target ? own + share : share) * q;
      total.add(coefficient[j]);
    }
    for (int64_t k = 0; k < n; ++k) gradient[k] = p[k] * total.sum() - coefficient[k];
    return gradient;
  }

  // Derivatives by the activated scores; `pull` collects what is pushed onto t.
  const auto slope = [](T probability) { return probability * (T(1.0) - probability); };
  Total<T> pull;
  if (loss.kind == LossKind::bpr) {
    // The target's own column is the constant log 2.
    for (int64_t k = 0; k < n; ++k) {
      if (k == target) continue;
      gradient[k] = sigmoid(s[k] - t);
      pull.add(gradient[k]);
    }
    gradient[target] = -pull.sum();
  } else if (loss.kind == LossKind::top1) {
    // The target's own column is a constant: sigmoid(t - t), and sigmoid(t^2) is taken back.
    for (int64_t k = 0; k < n; ++k) {
      if (k == target) continue;
      const T push = slope(sigmoid(s[k] - t)) / T(columns);
      pull.add(push);
      gradient[k] = push + T(2.0) * s[k] * slope(sigmoid(s[k] * s[k])) / T(columns);
    }
    gradient[target] = -pull.sum();
  } else if (loss.kind == LossKind::bpr_max) {
    const std::vector<T> w = softmax(s, target);
    Total<T> likelihood, regularisation;
    for (int64_t k = 0; k < n; ++k) {
      likelihood.add(w[k] * sigmoid(t - s[k]));
      regularisation.add(w[k] * (s[k] * s[k]));
    }
    const T a = likelihood.sum(), r = regularisation.sum(), bpreg = T(double{loss.bpreg});
    for (int64_t k = 0; k < n; ++k) {
      if (k == target) continue;
      const T win = sigmoid(t - s[k]);
      pull.add(w[k] * slope(win));
      gradient[k] = -(w[k] * (win - a) - w[k] * slope(win)) / (a + T(kEpsilon)) +
                    bpreg * (w[k] * (s[k] * s[k] - r) + T(2.0) * w[k] * s[k]);
    }
    gradient[target] = -pull.sum() / (a + T(kEpsilon));
  } else {
    const std::vector<T> w = softmax(s, target);
    Total<T> total;
    for (int64_t k = 0; k < n; ++k) total.add(w[k] * (sigmoid(s[k] - t) + sigmoid(s[k] * s[k])));
    for (int64_t k = 0; k < n; ++k) {
      if (k == target) continue;
      const T lost = sigmoid(s[k] - t), square = sigmoid(s[k] * s[k]);
      pull.add(w[k] * slope(lost));
      gradient[k] = w[k] * (lost + square - total.sum()) + w[k] * (slope(lost) + T(2.0) * s[k] * slope(square));
    }
    gradient[target] = -pull.sum();
  }
  for (int64_t k = 0; k < n; ++k) gradient[k] = gradient[k] * activate_slope(loss.final_act, raw[k]);
  return gradient;
}

template <class T>
struct LossResult {
  std::vector<T> row_losses;  ///< not divided
  Table<T> gradient;          ///< of the sum of the rows / divisor
};

/// All rows; the target of row i is column i.
template <class T>
LossResult<T> loss_gradient(const Loss& loss, int64_t divisor, const Table<T>& scores) {
  LossResult<T> result{{}, Table<T>(scores.rows, scores.cols)};
  for (int64_t i = 0; i < scores.rows; ++i) {
    const std::vector<T> row = block(scores, i, 1, 0, scores.cols).data;
    result.row_losses.push_back(row_loss(loss, row, i));
    const std::vector<T> gradient = row_loss_gradient(loss, row, i);
    for (int64_t j = 0; j < scores.cols; ++j) result.gradient(i, j) = gradient[j] / T(static_cast<double>(divisor));
  }
  return result;
}

}  // namespace gru4rec::reference
