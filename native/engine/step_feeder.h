#pragma once

#include <vector>

#include "backend/array.h"
#include "core/sampling_table.h"
#include "core/schedule.h"

namespace gru4rec {

/// The negative samples of the steps.
struct StepSamples {
  int64_t count = 0;  ///< of a step; 0 = none, and the rest is not read
  uint64_t seed = 0;
  SamplingTableView table;
};

/// Feeds a device that follows the schedule by itself: the steps of a walk go up in chunks, while it computes those of
/// the chunk before, and its place in them stays in its own memory. A step ends by beginning the one behind it (with
/// begin_step, beside what it still has to do), so the feed is a row ahead of what runs; behind the last step of a walk
/// stands a row without items.
class StepFeeder {
 public:
  /// A piece of a walk.
  struct Chunk {
    int64_t first = 0;  ///< row of the feed that its first step has; the others are behind it
    int64_t steps = 0;
    int64_t events = 0;  ///< pairs of input and target
  };

  /// For mini-batches of `batch` rows.
  /// @param filler  the item of rows that are not active: kNoItem, or one that stands in where nobody looks
  StepFeeder(Backend& backend, int64_t batch, const StepSamples& samples, int32_t filler);

  /// Begins a walk and its first step, which has number `step`.
  void begin(Schedule& schedule, uint64_t step);
  /// Sends up what the next steps of the walk need: `steps`, or those that are left, or for which there is room. Of the
  /// chunks before, all but the last one must have been computed.
  Chunk feed(Schedule& schedule, int64_t steps);
  /// M of step `s` of the chunk that was sent last.
  int64_t active(int64_t s) const { return active_[s]; }

  int64_t max_chunk() const { return capacity_ / 2; }
  /// Rows of the feed.
  int64_t capacity() const { return capacity_; }
  /// What begin_step takes the steps from.
  const StepFeed& view() const { return view_; }

 private:
  /// Writes the next row of the feed to `out`. Returns its M, 0 behind the last step.
  int64_t take(Schedule& schedule, int32_t* out) const;
  /// Sends `count` rows of chunk_ up, to where the rows from `first` of the walk belong.
  void send(int64_t first, int64_t count);

  Backend& backend_;
  int64_t batch_, capacity_;  ///< steps on the device
  int32_t filler_;
  int64_t next_ = 0;             ///< row of the walk's step that runs next; it is on the device
  int64_t begun_ = 0;            ///< its M
  std::vector<int32_t> chunk_;   ///< [max_chunk, row size]
  std::vector<int64_t> active_;  ///< [max_chunk] M of the steps of a chunk
  Array<int32_t> rows_;          ///< [capacity, row size]
  Array<StepState> state_;
  Array<int32_t> items_, source_;
  StepFeed view_;
};

}  // namespace gru4rec
