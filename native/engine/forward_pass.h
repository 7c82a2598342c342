#pragma once

#include <vector>

#include "engine/parameters.h"

namespace gru4rec {

/// The dropout of one training step; not active in evaluation and prediction.
struct StepDropout {
  Dropout input;
  std::vector<Dropout> hidden;  ///< one a layer
};

/// Runs the network over steps of up to `rows` rows and carries their hidden states. All buffers are allocated here,
/// none in `step`. The parameters must outlive it.
class ForwardPass {
 public:
  ForwardPass(const Parameters& parameters, int64_t rows);

  int64_t rows() const { return rows_; }
  /// Sets the hidden states of all rows to zero.
  void reset();
  /// One step for M = input.size rows. `input` and `source` [M] are in device memory; see ScheduleStep. States of the
  /// rows behind M stay as they are. Works in Branch::rows, too, and joins it.
  void step(Span<const int32_t> input, Span<const int32_t> source, const StepDropout& dropout);
  /// The state of layer `l` [rows, H].
  Matrix state(int64_t l) const { return layers_[l].state.matrix(rows_, parameters_.spec().layers[l]); }
  /// The last layer's state of the first `count` rows [count, hidden].
  Matrix hidden(int64_t count) const;
  /// What the last step left for the backward pass of layer `l`, `count` rows.
  GruTrace trace(int64_t l, int64_t count) const;

 private:
  struct Layer {
    Array<float> joined;  ///< [rows, H + in + H]
    Array<float> gates;   ///< [rows, 3H]
    Array<float> state;   ///< [rows, H]
  };

  const Parameters& parameters_;
  int64_t rows_;
  std::vector<Layer> layers_;
  Array<float> input_gates_;  ///< [rows, 3 H1] in `none` mode
};

/// No dropout, for every layer of a model.
StepDropout no_dropout(const ModelSpec& spec);

}  // namespace gru4rec
