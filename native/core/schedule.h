#pragma once

#include <cstdint>
#include <vector>

#include "core/matrix.h"
#include "core/philox.h"
#include "core/sessions.h"

namespace gru4rec {

/// One step of the session-parallel walk, M = input.size rows. Valid until the next call of `next`.
struct ScheduleStep {
  Span<const int32_t> input;   ///< [M], the item that each row reads
  Span<const int32_t> target;  ///< [M], the next item of the same session
  /// [M], the row of the previous step whose hidden state the row goes on with; -1 = it starts a session from zeros.
  Span<const int32_t> source;
};

/// Session-parallel mini-batches (1511.06939, section 3.1.1): `batch` slots walk that many sessions at once; a slot
/// whose session has no pair left takes the next unread one, in ascending slot order; when none is left the slot
/// disappears and the remaining rows close ranks. Holds nothing but integers.
class Schedule {
 public:
  /// @param sessions  what is walked, in its order; it must outlive the schedule.
  /// @param min_active  the walk ends when fewer rows than this are left (2 where a step needs a negative, else 1).
  Schedule(SessionSource& sessions, int64_t batch, int64_t min_active);

  /// Fills `step` and returns true, or returns false at the end of the walk. Throws what the source throws.
  bool next(ScheduleStep& step);

 private:
  struct Slot {
    const int32_t* event;  ///< the input
    const int32_t* end;    ///< of the session
  };

  bool open_next_session(int64_t row, Slot& slot);

  SessionSource& sessions_;
  int64_t min_active_;
  bool started_ = false;
  std::vector<Slot> slots_;
  int64_t active_;
  std::vector<int32_t> input_, target_, source_;
};

/// Shuffles `order` in place (Fisher-Yates from the end, docs/random.md).
void shuffle(const RandomStream& stream, Span<int32_t> order);

}  // namespace gru4rec
