#pragma once

#include "backends/cpu/kernels/kernels.h"
#include "backends/cpu/kernels/loops_impl.h"

namespace gru4rec::cpu::GRU_ISA {

/// Calls body(sum), where sum(place) is the sum of the rows' vectors there, from the first row to the last. Most sums
/// are of one row.
template <class Body>
GRU_INLINE void with_sum(const SummedRows& rows, const Body& body) {
  const float* first = rows.data + rows.rows[0] * rows.stride;
  if (rows.count == 1) {
    body([first](auto at) { return at.load(first); });
    return;
  }
  body([first, rows](auto at) {
    Vec sum = at.load(first);
    for (int64_t i = 1; i < rows.count; ++i) sum += at.load(rows.data + rows.rows[i] * rows.stride);
    return sum;
  });
}

/// The adapted steps of docs/model.md, "Optimisers": d, and the states on the way.
struct AdagradStep {
  float rate;
  template <class At>
  GRU_INLINE Vec operator()(const UpdatedRow& row, At at, Vec g) const {
    const Vec a = fma(g, g, at.load(row.first));
    at.store(row.first, a);
    return g * rate / sqrt(a + 1e-6f);
  }
};

struct SgdStep {
  float rate;
  template <class At>
  GRU_INLINE Vec operator()(const UpdatedRow&, At, Vec g) const {
    return g * rate;
  }
};

struct RmspropStep {
  float rate, decay;
  template <class At>
  GRU_INLINE Vec operator()(const UpdatedRow& row, At at, Vec g) const {
    const Vec a = fma(at.load(row.first), splat(decay), g * g * (1.0f - decay));
    at.store(row.first, a);
    return g * rate / sqrt(a + 1e-6f);
  }
};

struct AdadeltaStep {
  float decay;
  template <class At>
  GRU_INLINE Vec operator()(const UpdatedRow& row, At at, Vec g) const {
    const Vec a = fma(at.load(row.first), splat(decay), g * g * (1.0f - decay));
    const Vec u = at.load(row.second);
    const Vec d = g * sqrt((u + 1e-6f) / (a + 1e-6f));
    at.store(row.first, a);
    at.store(row.second, fma(u, splat(decay), d * d * (1.0f - decay)));
    return d;
  }
};

struct AdamStep {
  float rate, decay, second_decay;
  AdamCorrection correction;
  template <class At>
  GRU_INLINE Vec operator()(const UpdatedRow& row, At at, Vec g) const {
    const Vec m = fma(at.load(row.first), splat(decay), g * (1.0f - decay));
    const Vec v = fma(at.load(row.second), splat(second_decay), g * g * (1.0f - second_decay));
    at.store(row.first, m);
    at.store(row.second, v);
    return m * (rate * correction.first) / (sqrt(v * correction.second) + 1e-6f);
  }
};

template <class Step>
GRU_INLINE void update_with(const Step& step, const Optimiser& optimiser, const SummedRows& gradient, int64_t n,
                            UpdatedRow row) {
  const float weight_decay = optimiser.learning_rate * optimiser.lmbd, momentum = optimiser.momentum;
  const float scale = gradient.scale;
  with_sum(gradient, [=](auto sum) {
    for_aligned_vectors(row.value, n, [=](auto at) {
      Vec d = step(row, at, sum(at) * scale);
      const Vec p = at.load(row.value);
      if (weight_decay > 0.0f) d = fma(p, splat(weight_decay), d);
      if (momentum > 0.0f) {
        d = d - at.load(row.velocity) * momentum;
        at.store(row.velocity, -d);
      }
      at.store(row.value, p - d);
    });
  });
}

inline void update(const Optimiser& optimiser, const AdamCorrection& correction, const SummedRows& gradient, int64_t n,
                   const UpdatedRow& row) {
  const float rate = optimiser.learning_rate;
  switch (optimiser.kind) {
    case OptimiserKind::adagrad:
      return update_with(AdagradStep{rate}, optimiser, gradient, n, row);
    case OptimiserKind::sgd:
      return update_with(SgdStep{rate}, optimiser, gradient, n, row);
    case OptimiserKind::rmsprop:
      return update_with(RmspropStep{rate, optimiser.decay}, optimiser, gradient, n, row);
    case OptimiserKind::adadelta:
      return update_with(AdadeltaStep{optimiser.decay}, optimiser, gradient, n, row);
    case OptimiserKind::adam:
      return update_with(AdamStep{rate, optimiser.decay, optimiser.second_decay, correction}, optimiser, gradient, n,
                         row);
  }
}

inline double squared_norm(const SummedRows& gradient, int64_t n) {
  double total = 0.0;
  with_sum(gradient, [&](auto sum) {
    sum_vectors<1>(0, n, &total, [&](auto at, Vec* sums) {
      const Vec g = sum(at);
      sums[0] = fma(g, g, sums[0]);
    });
  });
  return total;
}

inline void column_sums(const float* data, int64_t rows, int64_t stride, int64_t n, bool add, float* sums) {
  for_vectors(0, n, [&](auto at) {
    Vec total = at.load(data);
    for (int64_t r = 1; r < rows; ++r) total += at.load(data + r * stride);
    at.store(sums, add ? at.load(sums) + total : total);
  });
}

}  // namespace gru4rec::cpu::GRU_ISA
