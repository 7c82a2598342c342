#pragma once

#include "engine/backward_pass.h"
#include "engine/parameters.h"

namespace gru4rec {

/// What an optimiser remembers about every parameter, and the update of all of them. The parameters must outlive it.
class OptimiserState {
 public:
  /// All state is zero, as before the first step.
  OptimiserState(const Parameters& parameters, const Optimiser& optimiser);

  /// Whether `optimiser` remembers the same things, so that it can go on from this state.
  bool suits(const Optimiser& optimiser) const;
  /// Goes on with the numbers (rates, momentum, …) of `optimiser`, which the state must suit.
  void set(const Optimiser& optimiser) { optimiser_ = optimiser; }
  void set_learning_rate(float learning_rate) { optimiser_.learning_rate = learning_rate; }
  /// The state as tensors: `optimiser.first.Wy` is the first state of the parameter Wy, `optimiser.updates.…` count the
  /// updates that adam corrects by.
  StoredTensors tensors() const;

  /// One update of everything that the step of `backward` touched. Branch::items must have been joined; the others are
  /// joined here.
  void apply(const BackwardPass& backward, const float* scale);

 private:
  TrainableMatrix dense() const;
  TrainableMatrix table(const TensorSpec& tensor, const Array<int32_t>& updates) const;
  TrainableMatrix views(int64_t offset, int64_t rows, int64_t cols, const Array<int32_t>& updates) const;

  const Parameters& parameters_;
  Optimiser optimiser_;
  Array<float> first_, second_, velocity_;  ///< arenas of the parameters' layout; empty where the optimiser needs none
  Array<int32_t> dense_updates_, output_weight_updates_, output_bias_updates_, input_table_updates_;  ///< adam
};

}  // namespace gru4rec
