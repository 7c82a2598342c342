#pragma once

#include <cstdint>

#include "backend/array.h"
#include "core/model_spec.h"
#include "core/sampling_table.h"
#include "engine/backward_pass.h"

namespace gru4rec {

/// What follows from the popularity of the items: negative samples of many steps, drawn ahead in one go (the author's
/// sample store), and the correction of the scores by it. A step's row keeps room for its targets before the samples
/// and for its inputs behind them. How many steps fit changes memory, never the samples. A back end that records draws
/// the samples of each step by itself, from the table alone (StepFeeder): for it nothing is stored.
class SampleStore {
 public:
  /// @param support  [items] training events of each item, at least 1; empty = take the memory only, for an estimate.
  SampleStore(Backend& backend, const TrainingSpec& spec, int64_t items, Span<const uint32_t> support);

  /// The items of training step `step`; draws when the store has run out. `input` and `target` are in host memory.
  StepItems items(uint64_t step, Span<const int32_t> input, Span<const int32_t> target);
  const SamplingTableView& table() const { return table_; }
  /// The correction of scores whose first `targets` columns are targets.
  LogQ log_q(int64_t targets) const;

 private:
  int64_t width() const { return batch_ + samples_ + batch_; }

  Backend& backend_;
  int64_t batch_, samples_, steps_;
  uint64_t seed_;
  uint64_t first_step_ = 0;
  bool filled_ = false;
  float target_coefficient_, sample_coefficient_;  ///< of the correction
  Array<float> log_support_;                       ///< [items]; empty = no correction
  Array<uint64_t> cumulative_;
  Array<int32_t> guide_;
  SamplingTableView table_;
  Array<int32_t> store_;  ///< [steps, batch + samples + batch]
};

}  // namespace gru4rec
