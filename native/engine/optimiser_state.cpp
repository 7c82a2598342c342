#include "engine/optimiser_state.h"

#include <vector>

namespace gru4rec {

namespace {

Array<float> zeros(Backend& backend, int64_t size) {
  Array<float> array(backend, size);
  backend.fill(0.0f, array.matrix(1, size));
  return array;
}

Array<int32_t> zero_counts(Backend& backend, int64_t size) {
  Array<int32_t> array(backend, size);
  const std::vector<int32_t> host(size, 0);
  array.upload({host.data(), size});
  return array;
}

Matrix part(const Array<float>& arena, int64_t offset, int64_t rows, int64_t cols) {
  return arena.size() == 0 ? Matrix{} : Matrix{arena.data() + offset, rows, cols};
}

}  // namespace

OptimiserState::OptimiserState(const Parameters& parameters, const Optimiser& optimiser)
    : parameters_(parameters), optimiser_(optimiser) {
  Backend& backend = parameters.backend();
  const ParameterLayout& layout = parameters.layout();
  const OptimiserKind kind = optimiser.kind;
  if (kind != OptimiserKind::sgd) first_ = zeros(backend, layout.size());
  if (kind == OptimiserKind::adadelta || kind == OptimiserKind::adam) second_ = zeros(backend, layout.size());
  if (optimiser.momentum > 0.0f) velocity_ = zeros(backend, layout.size());
  if (kind == OptimiserKind::adam) {
    dense_updates_ = zero_counts(backend, 1);
    output_weight_updates_ = zero_counts(backend, layout.output_weight().rows);
    output_bias_updates_ = zero_counts(backend, layout.output_bias().rows);
    input_table_updates_ = zero_counts(backend, layout.input_table().rows);
  }
}

TrainableMatrix OptimiserState::views(int64_t offset, int64_t rows, int64_t cols, const Array<int32_t>& updates) const {
  return {{parameters_.arena() + offset, rows, cols},
          part(first_, offset, rows, cols),
          part(second_, offset, rows, cols),
          part(velocity_, offset, rows, cols),
          updates.span()};
}

TrainableMatrix OptimiserState::dense() const { return views(0, 1, parameters_.layout().dense_size(), dense_updates_); }

TrainableMatrix OptimiserState::table(const TensorSpec& tensor, const Array<int32_t>& updates) const {
  return views(tensor.offset, tensor.rows, tensor.cols, updates);
}

void OptimiserState::apply(const BackwardPass& backward, const float* scale) {
  Backend& backend = parameters_.backend();
  const ParameterLayout& layout = parameters_.layout();
  backend.update_dense(optimiser_, backward.dense(), scale, dense());
  backend.update_rows(optimiser_, backward.output_groups(), backward.output_rows(), scale,
                      table(layout.output_weight(), output_weight_updates_));
  backend.update_rows(optimiser_, backward.output_groups(), backward.output_bias(), scale,
                      table(layout.output_bias(), output_bias_updates_));
  if (layout.input_table().size() > 0)
    backend.update_rows(optimiser_, backward.input_groups(), backward.input_rows(), scale,
                        table(layout.input_table(), input_table_updates_));
}

}  // namespace gru4rec
