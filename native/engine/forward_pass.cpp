#include "engine/forward_pass.h"

#include <utility>

namespace gru4rec {

ForwardPass::ForwardPass(const Parameters& parameters, int64_t rows) : parameters_(parameters), rows_(rows) {
  Backend& backend = parameters.backend();
  const ModelSpec& spec = parameters.spec();
  for (size_t l = 0; l < spec.layers.size(); ++l) {
    const int64_t hidden = spec.layers[l], in = spec.layer_input(static_cast<int64_t>(l));
    Layer layer;
    layer.joined = Array<float>(backend, rows * (hidden + in + hidden));
    layer.gates = Array<float>(backend, rows * 3 * hidden);
    layer.state = Array<float>(backend, rows * hidden);
    layers_.push_back(std::move(layer));
  }
  if (spec.embedding == EmbeddingMode::none) input_gates_ = Array<float>(backend, rows * 3 * spec.layers[0]);
  reset();
}

void ForwardPass::reset() {
  for (size_t l = 0; l < layers_.size(); ++l) parameters_.backend().fill(0.0f, state(static_cast<int64_t>(l)));
}

void ForwardPass::step(Span<const int32_t> input, Span<const int32_t> source, const StepDropout& dropout) {
  Backend& backend = parameters_.backend();
  const ModelSpec& spec = parameters_.spec();
  const int64_t active = input.size;

  const int64_t first_in = spec.layer_input(0);
  Matrix input_gates;
  {
    const BranchScope branch(backend, Branch::rows);
    if (first_in > 0) {
      const Matrix inputs = trace(0, active).joined.col_range(spec.layers[0], first_in);
      backend.gather_rows(parameters_.input_table(), input, dropout.input, inputs);
    } else {
      input_gates = input_gates_.matrix(active, 3 * spec.layers[0]);
      backend.gather_rows(parameters_.input_table(), input, Dropout{}, input_gates);
    }
  }
  for (size_t l = 0; l < layers_.size(); ++l) {
    const int64_t hidden = spec.layers[l], in = spec.layer_input(static_cast<int64_t>(l));
    const GruTrace step_trace = trace(static_cast<int64_t>(l), active);
    const Matrix carried = state(static_cast<int64_t>(l));
    if (l > 0) backend.copy(layers_[l - 1].state.matrix(active, in), step_trace.joined.col_range(hidden, in));
    backend.carry_state(carried, source, step_trace.joined.col_range(hidden + in, hidden));
    if (l == 0) backend.join(Branch::rows);
    backend.gru_forward(parameters_.layer(static_cast<int64_t>(l)), l == 0 ? ConstMatrix(input_gates) : ConstMatrix{},
                        dropout.hidden[l], step_trace, carried.row_range(0, active));
  }
}

Matrix ForwardPass::hidden(int64_t count) const {
  return layers_.back().state.matrix(count, parameters_.spec().hidden());
}

GruTrace ForwardPass::trace(int64_t l, int64_t count) const {
  const int64_t hidden = parameters_.spec().layers[l], in = parameters_.spec().layer_input(l);
  return {layers_[l].joined.matrix(count, hidden + in + hidden), layers_[l].gates.matrix(count, 3 * hidden)};
}

StepDropout no_dropout(const ModelSpec& spec) { return {Dropout{}, std::vector<Dropout>(spec.layers.size())}; }

}  // namespace gru4rec
