#pragma once

#include <cstdint>
#include <deque>
#include <vector>

/// Session-parallel mini-batches by walking the sessions themselves (docs/model.md, "Training data and session-parallel
/// mini-batches").
namespace gru4rec::reference {

struct ScheduledStep {
  std::vector<int32_t> input, target, source;
};

/// All steps until fewer than `min_active` rows are left. `sessions` are in the order in which they are read.
inline std::vector<ScheduledStep> schedule(const std::vector<std::vector<int32_t>>& sessions, int64_t batch,
                                           int64_t min_active) {
  struct Slot {
    std::deque<int32_t> events;  ///< the next input first
    int32_t row;                 ///< in the step before; -1 = the session is new
  };
  std::deque<std::vector<int32_t>> unread;
  for (const std::vector<int32_t>& session : sessions)
    if (session.size() >= 2) unread.push_back(session);
  const auto open = [&] {
    const std::vector<int32_t> session = unread.front();
    unread.pop_front();
    return Slot{{session.begin(), session.end()}, -1};
  };

  std::vector<Slot> slots;
  while (static_cast<int64_t>(slots.size()) < batch && !unread.empty()) slots.push_back(open());
  std::vector<ScheduledStep> steps;
  while (static_cast<int64_t>(slots.size()) >= min_active && !slots.empty()) {
    ScheduledStep step;
    for (const Slot& slot : slots) {
      step.input.push_back(slot.events[0]);
      step.target.push_back(slot.events[1]);
      step.source.push_back(slot.row);
    }
    steps.push_back(step);

    std::vector<Slot> next;
    for (size_t row = 0; row < slots.size(); ++row) {
      Slot slot = slots[row];
      slot.events.pop_front();
      slot.row = static_cast<int32_t>(row);
      if (slot.events.size() >= 2) {
        next.push_back(slot);
      } else if (!unread.empty()) {
        next.push_back(open());
      }
    }
    slots = next;
  }
  return steps;
}

}  // namespace gru4rec::reference
