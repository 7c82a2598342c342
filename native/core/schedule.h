#pragma once

#include <cstdint>
#include <vector>

#include "core/matrix.h"
#include "core/philox.h"

namespace gru4rec {

/// Sessions as the engine reads them: events of session s are items[offsets[s] .. offsets[s + 1]), oldest first.
struct Sessions {
  Span<const int32_t> items;    ///< [events], item indices
  Span<const int32_t> offsets;  ///< [sessions + 1], ascending; at most 2^31 - 1 events

  int64_t count() const { return offsets.size > 0 ? offsets.size - 1 : 0; }
  int64_t length(int64_t session) const { return offsets[session + 1] - offsets[session]; }
};

/// One step of the session-parallel walk, M = input.size rows. Valid until the next call of `next`.
struct ScheduleStep {
  Span<const int32_t> input;   ///< [M], the item that each row reads
  Span<const int32_t> target;  ///< [M], the next item of the same session
  /// [M], the row of the previous step whose hidden state the row goes on with; -1 = it starts a session from zeros.
  Span<const int32_t> source;
};

/// Session-parallel mini-batches (1511.06939, section 3.1.1): `batch` slots walk that many sessions at once; a slot
/// whose session has no pair left takes the next unread one, in ascending slot order; when none is left the slot
/// disappears and the remaining rows close ranks. Sessions shorter than two events are passed over. Holds nothing but
/// integers.
class Schedule {
 public:
  /// @param order  [n] the sessions to walk, in this order; the view must outlive the schedule.
  /// @param min_active  the walk ends when fewer rows than this are left (2 where a step needs a negative, else 1).
  Schedule(const Sessions& sessions, Span<const int32_t> order, int64_t batch, int64_t min_active);

  /// Fills `step` and returns true, or returns false at the end of the walk.
  bool next(ScheduleStep& step);

 private:
  struct Slot {
    int64_t event;  ///< position of the input in the items
    int64_t end;    ///< end of the session
  };

  bool open_next_session(Slot& slot);

  Sessions sessions_;
  Span<const int32_t> order_;
  int64_t min_active_;
  int64_t next_session_ = 0;
  bool started_ = false;
  std::vector<Slot> slots_;
  int64_t active_;
  std::vector<int32_t> input_, target_, source_;
};

/// Shuffles `order` in place (Fisher-Yates from the end, docs/random.md).
void shuffle(const RandomStream& stream, Span<int32_t> order);

}  // namespace gru4rec
