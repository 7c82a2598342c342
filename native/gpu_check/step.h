#pragma once

#include <vector>

#include "gpu_check/configurations.h"
#include "test/step_operations.h"

namespace gru4rec::gpu_check {

/// The operations of a training step of a configuration, in the order of the step: those of native/test, with the
/// configuration's own loss, optimiser and begin of a step.
class ConfiguredStep {
 public:
  using Operation = test::StepOperations::Operation;

  /// The back end must outlive it.
  ConfiguredStep(Backend& backend, const Configuration& configuration);

  /// They refer to this object.
  std::vector<Operation> operations();

 private:
  int64_t batch() const { return configuration_.training.batch; }
  int64_t columns() const { return batch() + configuration_.training.samples; }
  int64_t rows() const { return columns() + batch(); }
  const Optimiser& optimiser() const { return configuration_.training.optimiser; }
  StepFeed feed() const;
  RowGroups groups() const;

  /// A matrix in training with what the configuration's optimiser keeps of it.
  struct Trained {
    Trained(Backend& backend, const Optimiser& optimiser, int64_t rows, int64_t cols);
    TrainableMatrix view() const;

    int64_t rows, cols;
    Array<float> value, squares, velocity;
  };

  Backend& backend_;
  Configuration configuration_;
  test::StepOperations shared_;
  Trained dense_, weight_, bias_;
  Array<float> dense_gradient_, row_gradients_, bias_gradients_;
  Array<uint64_t> cumulative_;
  Array<int32_t> guide_, feed_rows_, items_, source_;
  Array<StepState> state_;
  Array<int32_t> group_count_, group_item_, group_start_, group_occurrence_;
  SamplingTableView table_;
};

}  // namespace gru4rec::gpu_check
