#pragma once

#include <vector>

#include "engine/forward_pass.h"

namespace gru4rec {

/// What the steps before the one that runs left for gradients that go back to them. It is kept in the order of the rows
/// of the running step: row i of a step before is the one that row i goes on from, and all zeros where its session had
/// not begun. Gates of zeros have no gradients and hand none on, so nobody needs to know which rows those are.
class StepHistory {
 public:
  /// For the training.bptt - 1 steps before, which may be none, of up to training.batch rows. Where there is dropout,
  /// it keeps the masks, too. The parameters must outlive it.
  StepHistory(const Parameters& parameters, const TrainingSpec& training);

  /// Steps before the running one.
  int64_t steps() const { return static_cast<int64_t>(steps_.size()); }
  /// Called before `forward` does the step, while it still has the one before. `source` [M] and `dropout` are the
  /// step's.
  void begin_step(const ForwardPass& forward, Span<const int32_t> source, const StepDropout& dropout);

  /// Of the step `back` steps before, 1 <= back <= steps(), what its backward pass needs; `rows` is the M of now.
  GruTrace trace(int64_t back, int64_t l, int64_t rows) const;
  /// Factors of the dropout of a layer's new state [rows, H]; empty = none.
  ConstMatrix hidden_mask(int64_t back, int64_t l, int64_t rows) const;
  /// Factors of the dropout of the input [rows, in]; empty = none.
  ConstMatrix input_mask(int64_t back, int64_t rows) const;

 private:
  /// Moves every step before one further back, in the order of the rows of now.
  void carry(const ForwardPass& forward, Span<const int32_t> source);
  /// The masks of the step that runs, for the steps that follow.
  void keep_masks(const StepDropout& dropout, int64_t rows);

  /// Columns of a row of a step: of each layer joined | gates | mask, then the input's mask.
  struct LayerColumns {
    int64_t joined, gates, mask;
  };

  Matrix columns(int64_t back, int64_t rows, int64_t first, int64_t count) const {
    return steps_[back - 1].matrix(rows, width_).col_range(first, count);
  }

  const Parameters& parameters_;
  bool drops_input_, drops_hidden_;
  std::vector<LayerColumns> layers_;
  int64_t input_mask_ = 0, width_ = 0;
  std::vector<Array<float>> steps_;         ///< [rows, width_], the step just before first
  std::vector<Array<float>> hidden_masks_;  ///< [rows, H] of the running step's layers
  Array<float> running_input_mask_;         ///< [rows, in] of the running step
};

}  // namespace gru4rec
