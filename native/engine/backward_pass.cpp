#include "engine/backward_pass.h"

namespace gru4rec {

BackwardPass::Groups::Groups(Backend& backend, int64_t capacity)
    : count(backend, 1),
      item(backend, capacity),
      start(backend, capacity + 1),
      occurrence(backend, capacity),
      view{count.data(), item.span(), start.span(), occurrence.span()} {}

BackwardPass::BackwardPass(const Parameters& parameters, int64_t rows, int64_t samples, int64_t steps)
    : parameters_(parameters),
      batch_(rows),
      samples_(samples),
      steps_(steps),
      dense_(parameters.backend(), parameters.layout().dense_size()) {
  Backend& backend = parameters.backend();
  const ModelSpec& spec = parameters.spec();
  const int64_t columns = rows + samples, inputs = steps * rows;
  const int64_t occurrences = shared() ? columns + inputs : columns;
  output_rows_ = Array<float>(backend, occurrences * spec.hidden());
  output_bias_ = Array<float>(backend, columns);
  output_groups_ = Groups(backend, occurrences);
  if (!shared()) {
    input_rows_ = Array<float>(backend, inputs * parameters.layout().input_table().cols);
    input_groups_ = Groups(backend, inputs);
  }
  for (size_t l = 0; l < spec.layers.size(); ++l) {
    const int64_t hidden = spec.layers[l];
    hidden_.emplace_back(backend, rows * hidden);
    const bool of_inputs = l == 0 && spec.embedding == EmbeddingMode::none;
    gates_.emplace_back(backend, (of_inputs ? inputs : rows) * 3 * hidden);
    if (through_time()) old_states_.emplace_back(backend, rows * hidden);
  }
  if (through_time()) grouped_ = Array<int32_t>(backend, shared() ? occurrences : inputs);
  squared_norm_ = Array<double>(backend, 1);
  scale_ = Array<float>(backend, 1);
  const double zero = 0.0;
  squared_norm_.upload({&zero, 1});
  backend.fill(0.0f, dense_.matrix(1, dense_.size()));  // the paddings between tensors stay zero
}

int64_t BackwardPass::rows_before_inputs() const { return through_time() ? batch_ + samples_ : items_.columns(); }

Span<int32_t> BackwardPass::input_place(int64_t back) const {
  return grouped_.span().range((shared() ? rows_before_inputs() : 0) + back * batch_, batch_);
}

ConstMatrix BackwardPass::output_rows() const {
  const int64_t inputs = through_time() ? steps_ * batch_ : items_.rows;
  return output_rows_.matrix(shared() ? rows_before_inputs() + inputs : items_.columns(), parameters_.spec().hidden());
}

ConstMatrix BackwardPass::input_rows() const {
  if (shared()) return {};
  const Matrix first = input_row_gradients(0);
  return {first.data, through_time() ? steps_ * batch_ : first.rows, first.cols};
}

Matrix BackwardPass::input_row_gradients(int64_t back) const {
  const ModelSpec& spec = parameters_.spec();
  const auto rows_of = [&](const Array<float>& gradients, int64_t before, int64_t width) {
    return Matrix(gradients.data() + (before + back * batch_) * width, items_.rows, width);
  };
  switch (spec.embedding) {
    case EmbeddingMode::shared:
      return rows_of(output_rows_, rows_before_inputs(), spec.hidden());
    case EmbeddingMode::separate:
      return rows_of(input_rows_, 0, spec.embedding_size);
    case EmbeddingMode::none:
      return rows_of(gates_[0], 0, 3 * spec.layers[0]);
  }
  return {};
}

void BackwardPass::group(const StepItems& items, Span<const int32_t> source) {
  Backend& backend = parameters_.backend();
  const int64_t table_rows = parameters_.spec().items;
  Span<const int32_t> all = items.all, inputs = items.inputs();
  if (through_time()) {
    for (int64_t back = steps_ - 1; back > 0; --back) {
      backend.carry_items(input_place(back - 1), source, input_place(back));
    }
    backend.carry_items(items.inputs(), {}, input_place(0));
    if (shared()) backend.carry_items(items.scored(), {}, grouped_.span(rows_before_inputs()));
    all = inputs = grouped_.span();
  }
  if (shared()) {
    backend.group_rows(all, table_rows, output_groups_.view);
  } else {
    backend.group_rows(items.scored(), table_rows, output_groups_.view);
    backend.group_rows(inputs, table_rows, input_groups_.view);
  }
}

void BackwardPass::run(const ForwardPass& forward, const StepHistory& history, const StepItems& items,
                       const StepDropout& dropout, ConstMatrix score_gradient) {
  const ModelSpec& spec = parameters_.spec();
  const int64_t rows = items.rows;
  items_ = items;
  parameters_.backend().scores_backward(score_gradient, forward.hidden(rows), parameters_.output_weight(),
                                        items.scored(), hidden_.back().matrix(rows, spec.hidden()),
                                        output_rows_.matrix(items.columns(), spec.hidden()),
                                        output_bias_.matrix(items.columns(), 1));
  for (int64_t back = 0; back < steps_; ++back) run_step(back, forward, history, dropout);
}

void BackwardPass::run_step(int64_t back, const ForwardPass& forward, const StepHistory& history,
                            const StepDropout& dropout) {
  Backend& backend = parameters_.backend();
  const ModelSpec& spec = parameters_.spec();
  const int64_t rows = items_.rows, last = static_cast<int64_t>(spec.layers.size()) - 1;
  const bool running = back == 0;
  if (!running) backend.join(Branch::layers);  // which reads what is overwritten here

  for (int64_t l = last; l >= 0; --l) {
    const Matrix hidden = hidden_[l].matrix(rows, spec.layers[l]);
    Matrix old_state = through_time() ? old_states_[l].matrix(rows, spec.layers[l]) : Matrix();
    if (!running) {
      if (l == last) {
        backend.copy(old_state, hidden);
      } else {
        backend.add(old_state, hidden);
      }
      const ConstMatrix mask = history.hidden_mask(back, l, rows);
      if (!mask.empty()) backend.multiply(mask, hidden);
    }
    if (back + 1 == steps_) old_state = {};

    Matrix input_gradient;
    if (l > 0) {
      input_gradient = hidden_[l - 1].matrix(rows, spec.layers[l - 1]);
    } else if (spec.embedding != EmbeddingMode::none) {
      input_gradient = input_row_gradients(back);
    }
    const bool gates_of_inputs = l == 0 && spec.embedding == EmbeddingMode::none;
    const LayerTensors& tensors = parameters_.layout().layer(l);
    const GruGradients gradients{view(dense_.data(), tensors.candidate), view(dense_.data(), tensors.gates),
                                 view(dense_.data(), tensors.bias), view(dense_.data(), tensors.candidate_hidden_bias),
                                 !running};
    backend.gru_backward(parameters_.layer(l), running ? forward.trace(l, rows) : history.trace(back, l, rows),
                         running ? dropout.hidden[l] : Dropout{}, hidden,
                         gates_of_inputs ? input_row_gradients(back) : gates_[l].matrix(rows, 3 * spec.layers[l]),
                         input_gradient, old_state, gradients);
  }
  if (running) {
    if (dropout.input.active()) backend.dropout_backward(dropout.input, input_row_gradients(0));
  } else {
    const ConstMatrix mask = history.input_mask(back, rows);
    if (!mask.empty()) backend.multiply(mask, input_row_gradients(back));
  }
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
