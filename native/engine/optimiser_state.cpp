#include "engine/optimiser_state.h"

#include <algorithm>
#include <string>
#include <vector>

namespace gru4rec {

namespace {

Array<float> zeros(Backend& backend, int64_t size) {
  Array<float> array(backend, size);
  backend.fill(0.0f, array.matrix(1, size));
  return array;
}

Array<int32_t> zero_counts(Backend& backend, int64_t size) {
  constexpr int64_t kPiece = 1 << 18;
  Array<int32_t> array(backend, size);
  const std::vector<int32_t> zeros(std::min(size, kPiece));
  for (int64_t first = 0; first < size; first += kPiece)
    backend.upload(zeros.data(), std::min(size - first, kPiece) * sizeof(int32_t), array.data() + first);
  return array;
}

bool has_second_state(OptimiserKind kind) { return kind == OptimiserKind::adadelta || kind == OptimiserKind::adam; }

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
  if (has_second_state(kind)) second_ = zeros(backend, layout.size());
  if (optimiser.momentum > 0.0f) velocity_ = zeros(backend, layout.size());
  if (kind == OptimiserKind::adam) {
    dense_updates_ = zero_counts(backend, 1);
    output_weight_updates_ = zero_counts(backend, layout.output_weight().rows);
    output_bias_updates_ = zero_counts(backend, layout.output_bias().rows);
    input_table_updates_ = zero_counts(backend, layout.input_table().rows);
  }
}

bool OptimiserState::suits(const Optimiser& optimiser) const {
  return optimiser.kind == optimiser_.kind && (optimiser.momentum > 0.0f) == (velocity_.size() > 0);
}

StoredTensors OptimiserState::tensors() const {
  StoredTensors tensors;
  const auto add_arena = [&](const char* name, const Array<float>& arena) {
    if (arena.size() == 0) return;
    for (const TensorSpec& tensor : parameters_.layout().tensors())
      tensors.push_back({std::string("optimiser.") + name + "." + tensor.name, StoredTensor::Type::float32, tensor.rows,
                         tensor.cols, arena.data() + tensor.offset});
  };
  const auto add_counts = [&](const std::string& name, const Array<int32_t>& counts) {
    if (counts.size() > 0)
      tensors.push_back({"optimiser.updates." + name, StoredTensor::Type::int32, counts.size(), 1, counts.data()});
  };
  add_arena("first", first_);
  add_arena("second", second_);
  add_arena("velocity", velocity_);
  const ParameterLayout& layout = parameters_.layout();
  add_counts("dense", dense_updates_);
  add_counts(layout.output_weight().name, output_weight_updates_);
  add_counts(layout.output_bias().name, output_bias_updates_);
  add_counts(layout.input_table().name, input_table_updates_);
  return tensors;
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
  {
    const BranchScope branch(backend, Branch::layers);
    backend.update_dense(optimiser_, backward.dense(), scale, dense());
  }
  backend.join(Branch::rows);
  backend.update_rows(optimiser_, backward.output_groups(), backward.output_rows(), scale,
                      table(layout.output_weight(), output_weight_updates_));
  backend.update_rows(optimiser_, backward.output_groups(), backward.output_bias(), scale,
                      table(layout.output_bias(), output_bias_updates_));
  if (layout.input_table().size() > 0)
    backend.update_rows(optimiser_, backward.input_groups(), backward.input_rows(), scale,
                        table(layout.input_table(), input_table_updates_));
  backend.join(Branch::layers);
}

}  // namespace gru4rec
