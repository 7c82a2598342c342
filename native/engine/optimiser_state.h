#pragma once

#include "engine/backward_pass.h"
#include "engine/parameters.h"

namespace gru4rec {

/// What an optimiser remembers about every parameter, and the update of all of them. The parameters must outlive it.
class OptimiserState {
 public:
  OptimiserState(const Parameters& parameters, const Optimiser& optimiser);

  /// One update of everything that the step of `backward` touched.
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
