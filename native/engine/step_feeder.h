#pragma once

#include <vector>

#include "backend/array.h"
#include "core/schedule.h"
#include "engine/sample_store.h"

namespace gru4rec {

/// Feeds a device that follows the schedule by itself: the steps of a walk go up in chunks, while it computes those of
/// the chunk before, and its place in them stays in its own memory.
class StepFeeder {
 public:
  /// A piece of a walk.
  struct Chunk {
    int64_t steps = 0;
    int64_t events = 0;  ///< pairs of input and target
  };

  StepFeeder(Backend& backend, const TrainingSpec& spec, const SampleStore& samples);

  /// Begins a walk with step number `step`.
  void begin(uint64_t step);
  /// Sends the next `steps` steps of the walk up, at most max_chunk(), or those that are left. Of the chunks before,
  /// all but the last one must have been computed.
  Chunk feed(Schedule& schedule, int64_t steps);

  int64_t max_chunk() const { return capacity_ / 2; }
  /// What begin_step takes the steps from.
  const StepFeed& view() const { return view_; }

 private:
  Backend& backend_;
  int64_t batch_, capacity_;    ///< steps on the device
  int64_t next_ = 0;            ///< row of the walk that goes up next
  std::vector<int32_t> chunk_;  ///< [max_chunk, row size]
  Array<int32_t> rows_;         ///< [capacity, row size]
  Array<StepState> state_;
  Array<int32_t> items_, source_;
  StepFeed view_;
};

}  // namespace gru4rec
