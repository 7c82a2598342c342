#include "engine/backward_pass.h"

namespace gru4rec {

BackwardPass::Groups::Groups(Backend& backend, int64_t capacity)
    : count(backend, 1),
      item(backend, capacity),
      start(backend, capacity + 1),
      occurrence(backend, capacity),
      view{count.data(), item.span(), start.span(), occurrence.span()} {}

BackwardPass::BackwardPass(const Parameters& parameters, int64_t rows, int64_t samples)
    : parameters_(parameters), dense_(parameters.backend(), parameters.layout().dense_size()) {
  Backend& backend = parameters.backend();
  const ModelSpec& spec = parameters.spec();
  const int64_t columns = rows + samples;
  const int64_t occurrences = shared() ? columns + rows : columns;
  output_rows_ = Array<float>(backend, occurrences * spec.hidden());
  output_bias_ = Array<float>(backend, columns);
  output_groups_ = Groups(backend, occurrences);
  if (!shared()) {
    input_rows_ = Array<float>(backend, rows * parameters.layout().input_table().cols);
    input_groups_ = Groups(backend, rows);
  }
  for (int64_t hidden : spec.layers) {
    hidden_.emplace_back(backend, rows * hidden);
    gates_.emplace_back(backend, rows * 3 * hidden);
  }
  squared_norm_ = Array<double>(backend, 1);
  scale_ = Array<float>(backend, 1);
  const double zero = 0.0;
  squared_norm_.upload({&zero, 1});
  backend.fill(0.0f, dense_.matrix(1, dense_.size()));  // the paddings between tensors stay zero
}

ConstMatrix BackwardPass::output_rows() const {
  return output_rows_.matrix(items_.columns() + (shared() ? items_.rows : 0), parameters_.spec().hidden());
}

ConstMatrix BackwardPass::input_rows() const { return shared() ? ConstMatrix{} : input_row_gradients(); }

Matrix BackwardPass::input_row_gradients() const {
  switch (parameters_.spec().embedding) {
    case EmbeddingMode::shared:
      return output_rows_.matrix(items_.columns() + items_.rows, parameters_.spec().hidden())
          .row_range(items_.columns(), items_.rows);
    case EmbeddingMode::separate:
      return input_rows_.matrix(items_.rows, parameters_.spec().embedding_size);
    case EmbeddingMode::none:
      return gates_[0].matrix(items_.rows, 3 * parameters_.spec().layers[0]);
  }
  return {};
}

void BackwardPass::group(const StepItems& items) {
  Backend& backend = parameters_.backend();
  const int64_t table_rows = parameters_.spec().items;
  if (shared()) {
    backend.group_rows(items.all, table_rows, output_groups_.view);
  } else {
    backend.group_rows(items.scored(), table_rows, output_groups_.view);
    backend.group_rows(items.inputs(), table_rows, input_groups_.view);
  }
}

void BackwardPass::run(const ForwardPass& forward, const StepItems& items, const StepDropout& dropout,
                       ConstMatrix score_gradient) {
  Backend& backend = parameters_.backend();
  const ModelSpec& spec = parameters_.spec();
  const int64_t rows = items.rows;
  items_ = items;

  const int64_t last = static_cast<int64_t>(spec.layers.size()) - 1;
  backend.scores_backward(score_gradient, forward.hidden(rows), parameters_.output_weight(), items.scored(),
                          hidden_[last].matrix(rows, spec.hidden()),
                          output_rows_.matrix(items.columns(), spec.hidden()), output_bias_.matrix(items.columns(), 1));

  for (int64_t l = last; l >= 0; --l) {
    Matrix input_gradient;
    if (l > 0) {
      input_gradient = hidden_[l - 1].matrix(rows, spec.layers[l - 1]);
    } else if (spec.embedding != EmbeddingMode::none) {
      input_gradient = input_row_gradients();
    }
    const LayerTensors& tensors = parameters_.layout().layer(l);
    const GruGradients gradients{view(dense_.data(), tensors.candidate), view(dense_.data(), tensors.gates),
                                 view(dense_.data(), tensors.bias), view(dense_.data(), tensors.candidate_hidden_bias)};
    backend.gru_backward(parameters_.layer(l), forward.trace(l, rows), dropout.hidden[l],
                         hidden_[l].matrix(rows, spec.layers[l]), gates_[l].matrix(rows, 3 * spec.layers[l]),
                         input_gradient, {}, gradients);
  }
  if (dropout.input.active()) backend.dropout_backward(dropout.input, input_row_gradients());
}

const float* BackwardPass::clip(double cap) {
  Backend& backend = parameters_.backend();
  double* total = squared_norm_.data();
  for (const Branch branch : {Branch::rows, Branch::layers}) backend.join(branch);
  backend.add_squared_norm(dense(), total);
  backend.add_squared_norm_rows(output_groups_.view, output_rows(), total);
  backend.add_squared_norm_rows(output_groups_.view, output_bias(), total);
  if (!shared()) backend.add_squared_norm_rows(input_groups_.view, input_rows(), total);
  backend.clip_scale(cap, total, scale_.data());
  return scale_.data();
}

}  // namespace gru4rec
