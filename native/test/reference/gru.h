#pragma once

#include <cstdint>

#include "core/model_spec.h"
#include "reference/activation.h"
#include "reference/number.h"
#include "reference/table.h"

/// One GRU layer, gate by gate (docs/model.md, "GRU layer").
namespace gru4rec::reference {

/// a b
template <class T>
Table<T> product(const Table<T>& a, const Table<T>& b) {
  Table<T> out(a.rows, b.cols);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < b.cols; ++j) {
      Total<T> total;
      for (int64_t k = 0; k < a.cols; ++k) total.add(a(i, k) * b(k, j));
      out(i, j) = total.sum();
    }
  return out;
}

template <class T>
Table<T> transpose(const Table<T>& a) {
  Table<T> out(a.cols, a.rows);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < a.cols; ++j) out(j, i) = a(i, j);
  return out;
}

/// [1, cols]
template <class T>
Table<T> column_sums(const Table<T>& a) {
  Table<T> out(1, a.cols);
  for (int64_t j = 0; j < a.cols; ++j) {
    Total<T> total;
    for (int64_t i = 0; i < a.rows; ++i) total.add(a(i, j));
    out(0, j) = total.sum();
  }
  return out;
}

/// a + b
template <class T>
Table<T> sum(const Table<T>& a, const Table<T>& b) {
  Table<T> out = a;
  for (size_t i = 0; i < out.data.size(); ++i) out.data[i] = out.data[i] + b.data[i];
  return out;
}

/// Elementwise product.
template <class T>
Table<T> times(const Table<T>& a, const Table<T>& b) {
  Table<T> out = a;
  for (size_t i = 0; i < out.data.size(); ++i) out.data[i] = out.data[i] * b.data[i];
  return out;
}

/// Parameters of a layer, or their gradients, matrix by matrix. `in` may be 0.
template <class T>
struct GruParameters {
  Table<T> wxc, wxr, wxz;  ///< [in, H]
  Table<T> whc, whr, whz;  ///< [H, H]
  Table<T> bc, br, bz;     ///< [1, H]
  Table<T> bhc;            ///< [1, H] where the layer resets after the product, else empty
};

/// Takes the tensors of LayerTensors apart: candidate [Whc; Wxc], gates [[Wxr Wxz]; [Whr Whz]], bias [c r z].
template <class T>
GruParameters<T> split(const Table<T>& candidate, const Table<T>& gates, const Table<T>& bias,
                       const Table<T>& candidate_hidden_bias) {
  const int64_t h = candidate.cols, in = candidate.rows - h;
  return {block(candidate, h, in, 0, h), block(gates, 0, in, 0, h), block(gates, 0, in, h, h),
          block(candidate, 0, h, 0, h),  block(gates, in, h, 0, h), block(gates, in, h, h, h),
          block(bias, 0, 1, 0, h),       block(bias, 0, 1, h, h),   block(bias, 0, 1, 2 * h, h),
          candidate_hidden_bias};
}

/// Everything that one step computes.
template <class T>
struct GruStep {
  Table<T> x, h, mask;   ///< input [M, in], previous state [M, H], dropout factors of the new state [M, H]
  Table<T> ac, ar, az;   ///< before activation
  Table<T> c, r, z;      ///< candidate, reset, update
  Table<T> reset_state;  ///< r * h, or h Whc + bhc where the layer resets after the product
  Table<T> hidden;       ///< the new state, after dropout
};

/// @param input_gates  [M, 3H] added to candidate, reset and update, or empty.
template <class T>
GruStep<T> gru_forward(const GruParameters<T>& p, const Activation& activation, const Table<T>& input_gates,
                       const Table<T>& x, const Table<T>& h, const Table<T>& mask) {
  const int64_t m = h.rows, width = h.cols;
  const bool after = !p.bhc.empty();
  GruStep<T> step{x, h, mask, {}, {}, {}, {}, {}, {}, {}, Table<T>(m, width)};
  const auto linear = [&](const Table<T>& wx, const Table<T>& bias, int64_t gate) {
    Table<T> a = x.empty() ? Table<T>(m, width) : product(x, wx);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t d = 0; d < width; ++d) {
        a(i, d) = a(i, d) + bias(0, d);
        if (!input_gates.empty()) a(i, d) = a(i, d) + input_gates(i, gate * width + d);
      }
    return a;
  };
  step.ar = sum(linear(p.wxr, p.br, 1), product(h, p.whr));
  step.az = sum(linear(p.wxz, p.bz, 2), product(h, p.whz));
  step.r = step.ar;
  step.z = step.az;
  for (T& v : step.r.data) v = sigmoid(v);
  for (T& v : step.z.data) v = sigmoid(v);

  const Table<T> x_part = linear(p.wxc, p.bc, 0);
  if (after) {
    step.reset_state = product(h, p.whc);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t d = 0; d < width; ++d) step.reset_state(i, d) = step.reset_state(i, d) + p.bhc(0, d);
    step.ac = sum(x_part, times(step.r, step.reset_state));
  } else {
    step.reset_state = times(step.r, h);
    step.ac = sum(x_part, product(step.reset_state, p.whc));
  }
  step.c = step.ac;
  for (T& v : step.c.data) v = activate(activation, v);

  for (int64_t i = 0; i < m; ++i)
    for (int64_t d = 0; d < width; ++d)
      step.hidden(i, d) = ((T(1.0) - step.z(i, d)) * h(i, d) + step.z(i, d) * step.c(i, d)) * mask(i, d);
  return step;
}

template <class T>
struct GruBackward {
  GruParameters<T> parameters;
  Table<T> gates;  ///< [M, 3H] by the gates before activation: candidate, reset, update
  Table<T> x;      ///< [M, in]
  Table<T> h;      ///< [M, H] by the previous state
};

/// @param gradient  [M, H] of the new state.
template <class T>
GruBackward<T> gru_backward(const GruParameters<T>& p, const Activation& activation, const GruStep<T>& step,
                            const Table<T>& gradient) {
  const int64_t m = step.h.rows, width = step.h.cols;
  const bool after = !p.bhc.empty();
  const Table<T> dh = times(gradient, step.mask);
  Table<T> dac(m, width), dar(m, width), daz(m, width), product_gradient(m, width);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t d = 0; d < width; ++d) {
      dac(i, d) = dh(i, d) * step.z(i, d) * activate_slope(activation, step.ac(i, d));
      const T dz = dh(i, d) * (step.c(i, d) - step.h(i, d));
      daz(i, d) = dz * (step.z(i, d) * (T(1.0) - step.z(i, d)));
    }
  // The gradient of the reset gate, and that of what is multiplied by Whc: (r * h) before, h after.
  const Table<T> through = after ? Table<T>() : product(dac, transpose(p.whc));
  for (int64_t i = 0; i < m; ++i)
    for (int64_t d = 0; d < width; ++d) {
      const T dr = after ? dac(i, d) * step.reset_state(i, d) : through(i, d) * step.h(i, d);
      dar(i, d) = dr * (step.r(i, d) * (T(1.0) - step.r(i, d)));
      product_gradient(i, d) = after ? dac(i, d) * step.r(i, d) : dac(i, d);
    }

  GruBackward<T> out;
  const Table<T> xt = transpose(step.x), ht = transpose(step.h);
  out.parameters.wxc = product(xt, dac);
  out.parameters.wxr = product(xt, dar);
  out.parameters.wxz = product(xt, daz);
  out.parameters.whc = product(after ? ht : transpose(step.reset_state), product_gradient);
  out.parameters.whr = product(ht, dar);
  out.parameters.whz = product(ht, daz);
  out.parameters.bc = column_sums(dac);
  out.parameters.br = column_sums(dar);
  out.parameters.bz = column_sums(daz);
  if (after) out.parameters.bhc = column_sums(product_gradient);
  out.gates = Table<T>(m, 3 * width);
  place(dac, 0, 0, out.gates);
  place(dar, 0, width, out.gates);
  place(daz, 0, 2 * width, out.gates);
  out.x = sum(sum(product(dac, transpose(p.wxc)), product(dar, transpose(p.wxr))), product(daz, transpose(p.wxz)));
  out.h = sum(product(dar, transpose(p.whr)), product(daz, transpose(p.whz)));
  out.h = sum(out.h, after ? product(product_gradient, transpose(p.whc)) : times(through, step.r));
  for (int64_t i = 0; i < m; ++i)
    for (int64_t d = 0; d < width; ++d) out.h(i, d) = out.h(i, d) + dh(i, d) * (T(1.0) - step.z(i, d));
  return out;
}

}  // namespace gru4rec::reference
