#pragma once

#include "harness.h"
#include "reference/layer.h"

namespace gru4rec::test {

/// Random parameters of a layer, all of them at work: biases are not zero.
inline reference::LayerTables random_layer(Data& data, int64_t in, int64_t hidden, bool reset_after,
                                           const Activation& activation) {
  // Sums of in + hidden products then stay near 1, where gates neither saturate nor idle.
  const double bound = 2.0 / std::sqrt(static_cast<double>(in + hidden));
  return {data.table(hidden + in, hidden, bound), data.table(in + hidden, 2 * hidden, bound),
          data.table(1, 3 * hidden, 0.5), reset_after ? data.table(1, hidden, 0.5) : Table<float>(), activation};
}

/// A layer on a back end, with the buffers of one step and its gradients.
struct DeviceLayer {
  /// @param gap  guarded elements behind each row of the step's buffers.
  DeviceLayer(Backend& backend, const reference::LayerTables& tables, int64_t rows, int64_t gap)
      : in(tables.candidate.rows - tables.candidate.cols),
        hidden_size(tables.candidate.cols),
        candidate(backend, tables.candidate),
        gates(backend, tables.gates),
        bias(backend, tables.bias),
        candidate_hidden_bias(backend, tables.candidate_hidden_bias),
        joined(backend, rows, 2 * hidden_size + in, gap),
        activated(backend, rows, 3 * hidden_size, gap),
        hidden(backend, rows, hidden_size, gap),
        gate_gradients(backend, rows, 3 * hidden_size, gap),
        input_gradient(backend, rows, in, gap),
        state_gradient(backend, rows, hidden_size, gap),
        candidate_gradient(backend, tables.candidate.rows, hidden_size),
        gates_gradient(backend, tables.gates.rows, 2 * hidden_size),
        bias_gradient(backend, 1, 3 * hidden_size),
        candidate_hidden_bias_gradient(backend, tables.candidate_hidden_bias.rows, tables.candidate_hidden_bias.cols),
        layer{candidate, gates, bias, candidate_hidden_bias, tables.activation} {}

  GruTrace trace() const { return {joined, activated}; }
  GruGradients gradients() const {
    return {candidate_gradient, gates_gradient, bias_gradient, candidate_hidden_bias_gradient};
  }
  Matrix reset_state() const { return joined.view().col_range(0, hidden_size); }
  Matrix input() const { return joined.view().col_range(hidden_size, in); }
  Matrix state() const { return joined.view().col_range(hidden_size + in, hidden_size); }

  int64_t in, hidden_size;
  DeviceMatrix candidate, gates, bias, candidate_hidden_bias;
  DeviceMatrix joined, activated, hidden, gate_gradients, input_gradient, state_gradient;
  DeviceMatrix candidate_gradient, gates_gradient, bias_gradient, candidate_hidden_bias_gradient;
  GruLayer layer;
};

}  // namespace gru4rec::test
