#pragma once

#include <vector>

#include "engine/forward_pass.h"
#include "engine/parameters.h"
#include "engine/step_history.h"

namespace gru4rec {

/// The items of one step in one row of device memory: targets (M), samples (N), inputs (M), side by side, so that their
/// gradients can be grouped in one go. Of a step that comes from a feed M is the batch, and rows that are not active
/// have kNoItem.
struct StepItems {
  Span<const int32_t> all;  ///< [M + N + M]
  int64_t rows = 0;         ///< M
  int64_t samples = 0;      ///< N

  int64_t columns() const { return rows + samples; }
  Span<const int32_t> scored() const { return all.range(0, columns()); }
  Span<const int32_t> inputs() const { return all.range(columns(), rows); }
};

/// Gradients of one step, for batches of up to `rows` rows and `samples` samples, through as many steps as `steps`, its
/// own included. All buffers are allocated here.
class BackwardPass {
 public:
  BackwardPass(const Parameters& parameters, int64_t rows, int64_t samples, int64_t steps);

  /// Groups the rows of gradients of a step by their items, those of the inputs of the steps before included; of use to
  /// `clip` and to whoever updates. Called for each step of an epoch in turn. `source` is the step's.
  void group(const StepItems& items, Span<const int32_t> source);
  /// From the gradient of the scores [M, M + N] to the gradients of all parameters that the step of `forward` used.
  /// They are made in Branch::rows and Branch::layers.
  void run(const ForwardPass& forward, const StepHistory& history, const StepItems& items, const StepDropout& dropout,
           ConstMatrix score_gradient);

  /// One factor for all gradients, in device memory, so that their global norm stays under `cap`. The branch of
  /// `group` must have been joined, the others are joined here.
  const float* clip(double cap);

  /// Gradients of the dense part [1, dense_size].
  ConstMatrix dense() const { return dense_.matrix(1, dense_.size()); }
  /// Rows of gradients of Wy: the columns of the scores, and in `shared` mode the inputs behind them, those of the
  /// steps before last.
  ConstMatrix output_rows() const;
  /// Gradients of By [columns, 1].
  ConstMatrix output_bias() const { return output_bias_.matrix(items_.columns(), 1); }
  const RowGroups& output_groups() const { return output_groups_.view; }
  /// Rows of gradients of the input table, those of the steps before last; empty in `shared` mode.
  ConstMatrix input_rows() const;
  const RowGroups& input_groups() const { return input_groups_.view; }

 private:
  struct Groups {
    Groups() = default;
    Groups(Backend& backend, int64_t capacity);
    Array<int32_t> count, item, start, occurrence;
    RowGroups view;
  };

  bool shared() const { return parameters_.spec().embedding == EmbeddingMode::shared; }
  bool through_time() const { return steps_ > 1; }
  /// Rows of output_rows_, in `shared` mode, that stand before those of the inputs.
  int64_t rows_before_inputs() const;
  /// The place of the inputs of the step `back` steps before in grouped_, as long as a batch.
  Span<int32_t> input_place(int64_t back) const;
  /// [M, width of the input table] of the step `back` steps before; in `shared` mode rows of output_rows().
  Matrix input_row_gradients(int64_t back) const;
  /// One step of the `steps_`: from the gradients of the new states, in hidden_, to those of parameters and inputs, and
  /// where another step follows of the old states, in old_states_.
  void run_step(int64_t back, const ForwardPass& forward, const StepHistory& history, const StepDropout& dropout);

  const Parameters& parameters_;
  int64_t batch_, samples_, steps_;
  Array<float> dense_;
  Array<float> output_rows_, output_bias_, input_rows_;
  std::vector<Array<float>> hidden_,
      gates_;                             ///< one a layer: [rows, H], [rows, 3H]; in `none` mode gates_[0] of all steps
  std::vector<Array<float>> old_states_;  ///< one a layer: [rows, H], through time only
  /// Items of all rows of gradients that are grouped together with the inputs of the steps before, through time only.
  /// Each step's inputs have room for a batch; what is not used of it is kNoItem.
  Array<int32_t> grouped_;
  Groups output_groups_, input_groups_;
  Array<double> squared_norm_;
  Array<float> scale_;
  StepItems items_;
};

}  // namespace gru4rec
