#pragma once

#include <cstdint>

#include "backend/array.h"
#include "core/model_spec.h"
#include "core/sampling_table.h"
#include "engine/backward_pass.h"

namespace gru4rec {

/// Negative samples of many steps, drawn ahead in one go (the author's sample store). A step's row keeps room for its
/// targets before the samples and for its inputs behind them. How many steps fit changes memory, never the samples.
class SampleStore {
 public:
  /// `support` [items]: training events of each item.
  SampleStore(Backend& backend, const TrainingSpec& spec, Span<const uint32_t> support);

  /// The items of training step `step`; draws when the store has run out. `input` and `target` are in host memory.
  StepItems items(uint64_t step, Span<const int32_t> input, Span<const int32_t> target);

 private:
  int64_t width() const { return batch_ + samples_ + batch_; }

  Backend& backend_;
  int64_t batch_, samples_, steps_;
  uint64_t seed_;
  uint64_t first_step_ = 0;
  bool filled_ = false;
  Array<uint64_t> cumulative_;
  Array<int32_t> guide_;
  SamplingTableView table_;
  Array<int32_t> store_;  ///< [steps, batch + samples + batch]
};

}  // namespace gru4rec
