#pragma once

#include "backends/cpu/kernels/activation_impl.h"
#include "backends/cpu/kernels/kernels.h"
#include "backends/cpu/kernels/loops_impl.h"

namespace gru4rec::cpu::GRU_ISA {

inline void gru_gates(const GruRow& row, bool reset_before) {
  const int64_t hidden = row.hidden;
  float *reset = row.gates + hidden, *update = reset + hidden;
  for_vectors(0, hidden, [&](auto at) {
    Vec r = at.load(reset), z = at.load(update);
    if (row.input_gates != nullptr) {
      r += at.load(row.input_gates + hidden);
      z += at.load(row.input_gates + 2 * hidden);
    }
    r = sigmoid(r);
    at.store(reset, r);
    at.store(update, sigmoid(z));
    if (reset_before) at.store(row.reset_state, r * at.load(row.state));
  });
}

inline void gru_state(const GruRow& row, bool reset_before, float* out) {
  const int64_t hidden = row.hidden;
  const float *reset = row.gates + hidden, *update = reset + hidden;
  with_activation(row.activation, [&](auto activation) {
    for_vectors(0, hidden, [&](auto at) {
      Vec c = at.load(row.gates);
      if (row.input_gates != nullptr) c += at.load(row.input_gates);
      if (!reset_before) c = fma(at.load(reset), at.load(row.reset_state), c);
      c = activation.apply(c);
      at.store(row.gates, c);
      const Vec z = at.load(update);
      at.store(out, fma(z, c, (1.0f - z) * at.load(row.state)));
    });
  });
}

inline void gru_state_backward(const GruRowGradient& row, bool reset_before) {
  const int64_t hidden = row.hidden;
  with_activation(row.activation, [&](auto activation) {
    for_vectors(0, hidden, [&](auto at) {
      const Vec gradient = at.load(row.gradient);
      const Vec c = at.load(row.gates), z = at.load(row.gates + 2 * hidden);
      const Vec candidate = gradient * z * activation.slope(c);
      at.store(row.gate_gradients, candidate);
      if (row.state_gradient != nullptr) at.store(row.state_gradient, (1.0f - z) * gradient);
      at.store(row.gate_gradients + 2 * hidden, gradient * (c - at.load(row.state)) * (z * (1.0f - z)));
      if (!reset_before) {
        const Vec r = at.load(row.gates + hidden);
        at.store(row.gate_gradients + hidden, candidate * at.load(row.reset_state) * (r * (1.0f - r)));
        at.store(row.gradient, candidate * r);
      }
    });
  });
}

inline void gru_reset_backward(const GruRowGradient& row, const float* reset_gradient) {
  const int64_t hidden = row.hidden;
  for_vectors(0, hidden, [&](auto at) {
    const Vec r = at.load(row.gates + hidden);
    if (row.state_gradient != nullptr) {
      at.store(row.state_gradient, fma(at.load(reset_gradient), r, at.load(row.state_gradient)));
    }
    at.store(row.gate_gradients + hidden, at.load(reset_gradient) * at.load(row.state) * (r * (1.0f - r)));
  });
}

}  // namespace gru4rec::cpu::GRU_ISA
