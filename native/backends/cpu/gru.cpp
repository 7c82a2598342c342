#include <algorithm>

#include "backend/joined.h"
#include "backends/cpu/cpu_backend_impl.h"

namespace gru4rec::cpu {

namespace {

/// Hidden units that one block of elementwise work covers; each costs three exponentials.
constexpr int64_t kBlockUnits = 4096;

int64_t rows_per_block(int64_t hidden) { return std::max<int64_t>(1, kBlockUnits / hidden); }

}  // namespace

void CpuBackend::do_gru_forward(const GruLayer& layer, ConstMatrix input_gates, const Dropout& dropout,
                                const GruTrace& trace, Matrix hidden) {
  const int64_t width = layer.hidden();
  const Joined joined(layer, trace);
  const bool reset_before = !layer.reset_after();
  const auto row = [&](int64_t i) {
    return GruRow{width,
                  layer.activation,
                  input_gates.empty() ? nullptr : input_gates.row(i),
                  trace.gates.row(i),
                  joined.state.row(i),
                  joined.reset_state.row(i)};
  };

  gemm_.multiply({joined.gates_input}, {layer.gates}, {false, layer.bias.data + width},
                 trace.gates.col_range(width, 2 * width));
  const Matrix candidate = trace.gates.col_range(0, width);
  if (reset_before) {
    for_blocks(hidden.rows, rows_per_block(width), [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) kernels_.gru_gates(row(i), true);
    });
    gemm_.multiply({joined.candidate_input}, {layer.candidate}, {false, layer.bias.data}, candidate);
  } else {
    gemm_.multiply({joined.state}, {layer.candidate.row_range(0, width)}, {false, layer.candidate_hidden_bias.data},
                   joined.reset_state);
    gemm_.multiply({joined.input}, {layer.candidate.row_range(width, layer.in())}, {false, layer.bias.data}, candidate);
  }
  for_blocks(hidden.rows, rows_per_block(width), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      if (!reset_before) kernels_.gru_gates(row(i), false);
      kernels_.gru_state(row(i), reset_before, hidden.row(i));
      if (dropout.active()) drop(dropout, i, hidden.row(i), width, hidden.row(i));
    }
  });
}

void CpuBackend::do_gru_backward(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout, Matrix gradient,
                                 Matrix gate_gradients, Matrix input_gradient, Matrix state_gradient,
                                 const GruGradients& gradients) {
  const int64_t rows = gradient.rows, width = layer.hidden(), in = layer.in();
  const Joined joined(layer, trace);
  const bool reset_before = !layer.reset_after(), wants_state = !state_gradient.empty();
  const auto row = [&](int64_t i) {
    return GruRowGradient{width,
                          layer.activation,
                          trace.gates.row(i),
                          joined.state.row(i),
                          joined.reset_state.row(i),
                          gradient.row(i),
                          gate_gradients.row(i),
                          wants_state ? state_gradient.row(i) : nullptr};
  };
  for_blocks(rows, rows_per_block(width), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      if (dropout.active()) drop(dropout, i, gradient.row(i), width, gradient.row(i));
      kernels_.gru_state_backward(row(i), reset_before);
    }
  });

  const Matrix candidate = gate_gradients.col_range(0, width);
  const Matrix reset_and_update = gate_gradients.col_range(width, 2 * width);
  const bool wants_input = !input_gradient.empty();
  if (reset_before) {
    // One product gives the gradients of r * h and, beside it, the candidate's part of the input's.
    const int64_t joined_width = wants_input ? width + in : width;
    const Matrix back(joined_gradient_.reserve(rows * joined_width), rows, joined_width);
    gemm_.multiply({candidate}, {layer.candidate.row_range(0, joined_width), true}, {}, back);
    for_blocks(rows, rows_per_block(width), [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        kernels_.gru_reset_backward(row(i), back.row(i));
        if (wants_input) std::copy_n(back.row(i) + width, in, input_gradient.row(i));
      }
    });
  } else if (wants_input) {
    gemm_.multiply({candidate}, {layer.candidate.row_range(width, in), true}, {}, input_gradient);
  }
  if (wants_input) {
    gemm_.multiply({reset_and_update}, {layer.gates.row_range(0, in), true}, {true, nullptr}, input_gradient);
  }

  if (wants_state) {
    gemm_.multiply({reset_and_update}, {layer.gates.row_range(in, width), true}, {true, nullptr}, state_gradient);
    if (!reset_before) {
      gemm_.multiply({gradient}, {layer.candidate.row_range(0, width), true}, {true, nullptr}, state_gradient);
    }
  }

  const Epilogue to_gradients{gradients.add, nullptr};
  if (reset_before) {
    gemm_.multiply({joined.candidate_input, true}, {candidate}, to_gradients, gradients.candidate);
  } else {
    // `gradient` holds that of h Whc + bhc by now.
    gemm_.multiply({joined.state, true}, {gradient}, to_gradients, gradients.candidate.row_range(0, width));
    gemm_.multiply({joined.input, true}, {candidate}, to_gradients, gradients.candidate.row_range(width, in));
    kernels_.column_sums(gradient.data, rows, gradient.stride, width, gradients.add,
                         gradients.candidate_hidden_bias.data);
  }
  gemm_.multiply({joined.gates_input, true}, {reset_and_update}, to_gradients, gradients.gates);
  kernels_.column_sums(gate_gradients.data, rows, gate_gradients.stride, 3 * width, gradients.add, gradients.bias.data);
}

}  // namespace gru4rec::cpu
