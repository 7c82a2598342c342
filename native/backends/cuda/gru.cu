#include "backend/joined.h"
#include "backends/cuda/cell.h"
#include "backends/cuda/column_sums.h"
#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/gru_unit.cuh"

/// A step of a layer: of a small one by the cell (cell.h), of a larger one in the same products as its CPU twin. No
/// product adds a bias: the elementwise work that follows reads its results anyway and adds the biases there, which
/// costs no launch and no pass over memory.
///
/// The bodies below work on hidden unit `col` of row `row` of the step, H = `width` units: gates and their gradients
/// [M, 3H] are candidate | reset | update, states [M, H]. A unit touches its own elements only.
namespace gru4rec::cuda {

/// What a product left for a gate, with its bias and its part of `input_gates`.
struct GateSum {
  ConstMatrix input_gates;  ///< [M, 3H] or empty
  const float* bias;        ///< [3H]
  __device__ float operator()(float product, int64_t row, int64_t gate) const {
    const float sum = product + bias[gate];
    return input_gates.empty() ? sum : sum + input_gates(row, gate);
  }
};

/// r, z <- sigmoid of their sums, in place; reset_state <- r * h. For a layer that resets before the product.
struct GatesBeforeReset {
  int64_t width;
  GateSum sum;
  ConstMatrix state;
  Matrix gates, reset_state;
  __device__ void operator()(int64_t row, int64_t col) const {
    const int64_t reset = width + col, update = 2 * width + col;
    const float r = sigmoid(sum(gates(row, reset), row, reset));
    gates(row, reset) = r;
    gates(row, update) = sigmoid(sum(gates(row, update), row, update));
    reset_state(row, col) = r * state(row, col);
  }
};

/// c <- activation of its sum, in place; hidden <- the new state. For a layer that resets before the product.
struct StateAfterProduct {
  int64_t width;
  Activation activation;
  GateSum sum;
  ConstMatrix state;
  Matrix gates, hidden;
  __device__ void operator()(int64_t row, int64_t col, float factor = 1.0f) const {
    const float c = activate(activation, sum(gates(row, col), row, col));
    gates(row, col) = c;
    hidden(row, col) = new_state(gates(row, 2 * width + col), c, state(row, col), factor);
  }
};

/// All gates at once, for a layer that resets after the product: reset_state <- h Whc + bhc, r, z, c and hidden.
struct ResetAfterProduct {
  int64_t width;
  Activation activation;
  GateSum sum;
  const float* hidden_bias;  ///< [H], bhc
  ConstMatrix state;
  Matrix reset_state, gates, hidden;
  __device__ void operator()(int64_t row, int64_t col, float factor = 1.0f) const {
    const int64_t reset = width + col, update = 2 * width + col;
    const float r = sigmoid(sum(gates(row, reset), row, reset));
    const float z = sigmoid(sum(gates(row, update), row, update));
    const float from_state = reset_state(row, col) + hidden_bias[col];
    const float c = activate(activation, fmaf(r, from_state, sum(gates(row, col), row, col)));
    reset_state(row, col) = from_state;
    gates(row, reset) = r;
    gates(row, update) = z;
    gates(row, col) = c;
    hidden(row, col) = new_state(z, c, state(row, col), factor);
  }
};

/// Gradients of the candidate and the update gate before their activation, from that of the new state.
/// With `reset_after` also of the reset gate, and `gradient` <- that of h Whc + bhc. `state_gradient`, where it is not
/// empty, <- what goes past the gates to the old state.
struct StateGradient {
  int64_t width;
  Activation activation;
  bool reset_after;
  ConstMatrix gates, state, reset_state;
  Matrix gradient, gate_gradients, state_gradient;
  __device__ void operator()(int64_t row, int64_t col, float factor = 1.0f) const {
    const float of_state = keep(gradient(row, col), factor);
    const float c = gates(row, col), z = gates(row, 2 * width + col);
    const float candidate = candidate_gradient(activation, of_state, z, c);
    gate_gradients(row, col) = candidate;
    gate_gradients(row, 2 * width + col) = update_gradient(of_state, z, c, state(row, col));
    if (!state_gradient.empty()) state_gradient(row, col) = kept_gradient(of_state, z);
    if (reset_after) {
      const float r = gates(row, width + col);
      gate_gradients(row, width + col) = reset_gradient(candidate, reset_state(row, col), r);
      gradient(row, col) = candidate * r;
    }
  }
};

/// Gradient of the reset gate before its activation, from that of r * h. Columns from H on, where there are any, are
/// the candidate's part of the input's gradient [M, in], which goes to its place. `state_gradient`, where it is not
/// empty, gets the part that comes through r * h.
struct ResetGradient {
  int64_t width;
  ConstMatrix gates, state;
  ConstMatrix back;  ///< [M, H + in] or [M, H]
  Matrix gate_gradients, input_gradient, state_gradient;
  __device__ void operator()(int64_t row, int64_t col) const {
    if (col >= width) {
      input_gradient(row, col - width) = back(row, col);
      return;
    }
    const float of_product = back(row, col), r = gates(row, width + col);
    gate_gradients(row, width + col) = reset_gradient(of_product, state(row, col), r);
    if (!state_gradient.empty()) state_gradient(row, col) = fmaf(of_product, r, state_gradient(row, col));
  }
};

void CudaBackend::do_gru_forward(const GruLayer& layer, ConstMatrix input_gates, const Dropout& dropout,
                                 const GruTrace& trace, Matrix hidden) {
  if (cell_suits(layer)) return cell_forward(layer, input_gates, dropout, trace, hidden, stream());
  const int64_t rows = hidden.rows, width = layer.hidden();
  const Joined joined(layer, trace);
  const GateSum sum{input_gates, layer.bias.data};
  const Matrix candidate = trace.gates.col_range(0, width);

  gemm_.multiply({joined.gates_input}, {layer.gates}, false, trace.gates.col_range(width, 2 * width));
  if (layer.reset_after()) {
    gemm_.multiply({joined.state}, {layer.candidate.row_range(0, width)}, false, joined.reset_state);
    gemm_.multiply({joined.input}, {layer.candidate.row_range(width, layer.in())}, false, candidate);
    for_each_element(rows, width, dropout, stream(),
                     ResetAfterProduct{width, layer.activation, sum, layer.candidate_hidden_bias.data, joined.state,
                                       joined.reset_state, trace.gates, hidden});
  } else {
    for_each_element(rows, width, stream(),
                     GatesBeforeReset{width, sum, joined.state, trace.gates, joined.reset_state});
    gemm_.multiply({joined.candidate_input}, {layer.candidate}, false, candidate);
    for_each_element(rows, width, dropout, stream(),
                     StateAfterProduct{width, layer.activation, sum, joined.state, trace.gates, hidden});
  }
}

void CudaBackend::do_gru_backward(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout, Matrix gradient,
                                  Matrix gate_gradients, Matrix input_gradient, Matrix state_gradient,
                                  const GruGradients& gradients) {
  const int64_t width = layer.hidden(), in = layer.in();
  const Joined joined(layer, trace);
  const Matrix candidate = gate_gradients.col_range(0, width);
  const Matrix reset_and_update = gate_gradients.col_range(width, 2 * width);
  const bool by_cell = cell_suits(layer);
  if (by_cell) {
    cell_backward(layer, trace, dropout, gradient, gate_gradients, input_gradient, state_gradient, stream());
  } else {
    backward_by_products(layer, trace, dropout, gradient, gate_gradients, input_gradient, state_gradient);
  }
  // The gradients of the parameters sum over the rows of the step, and only the update waits for them.
  {
    const BranchScope branch(*this, Branch::layers);
    if (layer.reset_after()) {
      // `gradient` holds that of h Whc + bhc by now.
      gemm_.multiply({joined.state, true}, {gradient}, gradients.add, gradients.candidate.row_range(0, width));
      gemm_.multiply({joined.input, true}, {candidate}, gradients.add, gradients.candidate.row_range(width, in));
      column_sums(gradient, gradients.candidate_hidden_bias.data, 1, gradients.add, stream());
    } else {
      gemm_.multiply({joined.candidate_input, true}, {candidate}, gradients.add, gradients.candidate);
    }
    gemm_.multiply({joined.gates_input, true}, {reset_and_update}, gradients.add, gradients.gates);
    column_sums(gate_gradients, gradients.bias.data, 1, gradients.add, stream());
  }
  if (by_cell) return;
  if (!input_gradient.empty()) {
    gemm_.multiply({reset_and_update}, {layer.gates.row_range(0, in), true}, true, input_gradient);
  }
  if (state_gradient.empty()) return;
  gemm_.multiply({reset_and_update}, {layer.gates.row_range(in, width), true}, true, state_gradient);
  if (layer.reset_after()) {
    gemm_.multiply({gradient}, {layer.candidate.row_range(0, width), true}, true, state_gradient);
  }
}

void CudaBackend::backward_by_products(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout,
                                       Matrix gradient, Matrix gate_gradients, Matrix input_gradient,
                                       Matrix state_gradient) {
  const int64_t rows = gradient.rows, width = layer.hidden(), in = layer.in();
  const Joined joined(layer, trace);
  const Matrix candidate = gate_gradients.col_range(0, width);
  const bool wants_input = !input_gradient.empty();

  for_each_element(rows, width, dropout, stream(),
                   StateGradient{width, layer.activation, layer.reset_after(), trace.gates, joined.state,
                                 joined.reset_state, gradient, gate_gradients, state_gradient});
  if (!layer.reset_after()) {
    // One product gives the gradients of r * h and, beside it, the candidate's part of the input's.
    const int64_t joined_width = wants_input ? width + in : width;
    const Matrix back(joined_gradient_.reserve(rows * joined_width), rows, joined_width);
    gemm_.multiply({candidate}, {layer.candidate.row_range(0, joined_width), true}, false, back);
    for_each_element(
        rows, joined_width, stream(),
        ResetGradient{width, trace.gates, joined.state, back, gate_gradients, input_gradient, state_gradient});
  } else if (wants_input) {
    gemm_.multiply({candidate}, {layer.candidate.row_range(width, in), true}, false, input_gradient);
  }
}

}  // namespace gru4rec::cuda
