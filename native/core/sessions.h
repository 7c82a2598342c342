#pragma once

#include <cstdint>

#include "core/matrix.h"

namespace gru4rec {

/// Sessions as the engine reads them: events of session s are items[offsets[s] .. offsets[s + 1]), oldest first.
struct Sessions {
  Span<const int32_t> items;    ///< [events], item indices
  Span<const int32_t> offsets;  ///< [sessions + 1], ascending; at most 2^31 - 1 events

  int64_t count() const { return offsets.size > 0 ? offsets.size - 1 : 0; }
  int64_t length(int64_t session) const { return offsets[session + 1] - offsets[session]; }
};

/// Which sessions are walked: those of an order that have two events or more, as there is no pair in the others. Holds
/// nothing but the two views.
class SessionOrder {
 public:
  /// @param offsets  [sessions + 1] where the events of each session begin
  /// @param order  [n] session numbers
  SessionOrder(Span<const int32_t> offsets, Span<const int32_t> order) : offsets_(offsets), order_(order) {}

  /// The next session, -1 behind the last one.
  int32_t next() {
    while (next_ < order_.size) {
      const int32_t session = order_[next_++];
      if (length(session) >= 2) return session;
    }
    return -1;
  }
  /// Of all of them, the ones that are passed over included.
  int64_t count() const { return order_.size; }
  /// Events of `session`.
  int64_t length(int64_t session) const { return offsets_[session + 1] - offsets_[session]; }

 private:
  Span<const int32_t> offsets_, order_;
  int64_t next_ = 0;
};

/// Where a walk gets its sessions from, one after the other.
class SessionSource {
 public:
  virtual ~SessionSource() = default;

  /// The items of the next session, two or more, oldest first; none behind the last session. They stay where they are
  /// until `slot`, from 0, gets its next session.
  virtual Span<const int32_t> next(int64_t slot) = 0;
  /// At least as many as there are.
  virtual int64_t count() const = 0;
};

/// Sessions in memory, in an order; their views must outlive it.
class SessionsInOrder final : public SessionSource {
 public:
  SessionsInOrder(const Sessions& sessions, Span<const int32_t> order)
      : sessions_(sessions), order_(sessions.offsets, order) {}

  Span<const int32_t> next(int64_t) override {
    const int32_t session = order_.next();
    if (session < 0) return {};
    return sessions_.items.range(sessions_.offsets[session], sessions_.length(session));
  }
  int64_t count() const override { return order_.count(); }

 private:
  Sessions sessions_;
  SessionOrder order_;
};

}  // namespace gru4rec
