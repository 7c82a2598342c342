#include "engine/step_history.h"

namespace gru4rec {

StepHistory::StepHistory(const Parameters& parameters, const TrainingSpec& training)
    : parameters_(parameters),
      drops_input_(training.dropout_embed > 0.0 && parameters.spec().embedding != EmbeddingMode::none),
      drops_hidden_(training.dropout_hidden > 0.0) {
  const int64_t steps = training.bptt - 1, rows = training.batch;
  if (steps == 0) return;
  Backend& backend = parameters.backend();
  const ModelSpec& spec = parameters.spec();
  const auto take = [&](int64_t count) {
    width_ += count;
    return width_ - count;
  };
  for (size_t l = 0; l < spec.layers.size(); ++l) {
    const int64_t hidden = spec.layers[l], in = spec.layer_input(static_cast<int64_t>(l));
    LayerColumns columns{};
    columns.joined = take(hidden + in + hidden);
    columns.gates = take(3 * hidden);
    columns.mask = take(drops_hidden_ ? hidden : 0);
    layers_.push_back(columns);
    if (drops_hidden_) hidden_masks_.emplace_back(backend, rows * hidden);
  }
  input_mask_ = take(drops_input_ ? spec.input_size() : 0);
  if (drops_input_) running_input_mask_ = Array<float>(backend, rows * spec.input_size());
  for (int64_t s = 0; s < steps; ++s) steps_.emplace_back(backend, rows * width_);
}

void StepHistory::begin_step(const ForwardPass& forward, Span<const int32_t> source, const StepDropout& dropout) {
  if (steps() == 0) return;
  carry(forward, source);
  keep_masks(dropout, source.size);
}

void StepHistory::carry(const ForwardPass& forward, Span<const int32_t> source) {
  Backend& backend = parameters_.backend();
  const ModelSpec& spec = parameters_.spec();
  const int64_t active = source.size, rows = forward.rows();
  for (int64_t back = steps(); back > 1; --back) {
    backend.carry_state(columns(back - 1, rows, 0, width_), source, columns(back, active, 0, width_));
  }
  for (size_t l = 0; l < layers_.size(); ++l) {
    const int64_t layer = static_cast<int64_t>(l), hidden = spec.layers[l];
    const GruTrace from = forward.trace(layer, rows), to = trace(1, layer, active);
    backend.carry_state(from.joined, source, to.joined);
    backend.carry_state(from.gates, source, to.gates);
    if (drops_hidden_) {
      backend.carry_state(hidden_masks_[l].matrix(rows, hidden), source, columns(1, active, layers_[l].mask, hidden));
    }
  }
  if (drops_input_) {
    backend.carry_state(running_input_mask_.matrix(rows, spec.input_size()), source,
                        columns(1, active, input_mask_, spec.input_size()));
  }
}

void StepHistory::keep_masks(const StepDropout& dropout, int64_t rows) {
  Backend& backend = parameters_.backend();
  const ModelSpec& spec = parameters_.spec();
  const auto keep = [&](const Dropout& of, Matrix mask) {
    backend.fill(1.0f, mask);
    backend.dropout_backward(of, mask);
  };
  for (size_t l = 0; l < hidden_masks_.size(); ++l)
    keep(dropout.hidden[l], hidden_masks_[l].matrix(rows, spec.layers[l]));
  if (drops_input_) keep(dropout.input, running_input_mask_.matrix(rows, spec.input_size()));
}

GruTrace StepHistory::trace(int64_t back, int64_t l, int64_t rows) const {
  const int64_t hidden = parameters_.spec().layers[l], in = parameters_.spec().layer_input(l);
  return {columns(back, rows, layers_[l].joined, hidden + in + hidden),
          columns(back, rows, layers_[l].gates, 3 * hidden)};
}

ConstMatrix StepHistory::hidden_mask(int64_t back, int64_t l, int64_t rows) const {
  if (!drops_hidden_) return {};
  return columns(back, rows, layers_[l].mask, parameters_.spec().layers[l]);
}

ConstMatrix StepHistory::input_mask(int64_t back, int64_t rows) const {
  if (!drops_input_) return {};
  return columns(back, rows, input_mask_, parameters_.spec().input_size());
}

}  // namespace gru4rec
