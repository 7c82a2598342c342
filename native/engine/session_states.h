#pragma once

#include <vector>

#include "core/schedule.h"
#include "engine/cancellation.h"
#include "engine/forward_pass.h"

namespace gru4rec {

/// Reads whole sessions, `rows` at a time, up to their last event. Longer sessions come first inside a chunk, so that
/// the sessions that still have events are always the first rows.
class SessionStates {
 public:
  SessionStates(const Parameters& parameters, int64_t rows);

  /// Reads sessions [first, first + count), count <= rows. Afterwards `hidden()` holds their states; row r is that of
  /// session `session(r)`.
  void read(const Sessions& sessions, int64_t first, int64_t count, const Cancellation& cancellation);

  Matrix hidden() const { return forward_.hidden(static_cast<int64_t>(order_.size())); }
  int64_t session(int64_t row) const { return order_[row]; }

 private:
  ForwardPass forward_;
  StepDropout dropout_;
  std::vector<int64_t> order_;
  std::vector<int32_t> host_input_, host_source_;
  Array<int32_t> input_, source_;
};

}  // namespace gru4rec
