#include "core/schedule.h"

#include <algorithm>
#include <utility>

namespace gru4rec {

namespace {

/// The upper 64 bits of a * b.
uint64_t multiply_high(uint64_t a, uint64_t b) {
  const uint64_t a0 = a & 0xFFFFFFFFu, a1 = a >> 32, b0 = b & 0xFFFFFFFFu, b1 = b >> 32;
  const uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
  const uint64_t low_middle = (middle & 0xFFFFFFFFu) + a0 * b1;
  return a1 * b1 + (middle >> 32) + (low_middle >> 32);
}

}  // namespace

Schedule::Schedule(SessionSource& sessions, int64_t batch, int64_t min_active)
    : sessions_(sessions), min_active_(min_active), active_(std::min(batch, sessions.count())) {
  slots_.resize(active_);
  input_.resize(active_);
  target_.resize(active_);
  source_.resize(active_);
}

bool Schedule::open_next_session(int64_t row, Slot& slot) {
  const Span<const int32_t> items = sessions_.next(row);  // they close ranks only when none is left
  slot = {items.begin(), items.end()};
  return !items.empty();
}

bool Schedule::next(ScheduleStep& step) {
  int64_t kept = 0;
  for (int64_t row = 0; row < active_; ++row) {
    Slot slot = slots_[row];
    int32_t source = static_cast<int32_t>(row);
    if (started_) ++slot.event;
    if (!started_ || slot.event + 1 >= slot.end) {
      if (!open_next_session(row, slot)) continue;
      source = -1;
    }
    slots_[kept] = slot;
    input_[kept] = slot.event[0];
    target_[kept] = slot.event[1];
    source_[kept] = source;
    ++kept;
  }
  started_ = true;
  active_ = kept;
  if (active_ < min_active_) return false;
  step = {{input_.data(), kept}, {target_.data(), kept}, {source_.data(), kept}};
  return true;
}

void shuffle(const RandomStream& stream, Span<int32_t> order) {
  for (int64_t i = order.size - 1; i > 0; --i) {
    const uint64_t bound = static_cast<uint64_t>(i) + 1;
    const uint64_t j = multiply_high(random_uint64(stream, static_cast<uint64_t>(i)), bound);
    std::swap(order[i], order[static_cast<int64_t>(j)]);
  }
}

}  // namespace gru4rec
