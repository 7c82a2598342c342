#include "engine/session_file/window_plan.h"

#include <algorithm>

namespace gru4rec {

namespace {

/// Events between two sessions that are read and passed over: 32 KiB take a disk about as long as to find a place.
constexpr int64_t kGap = 8192;

}  // namespace

int32_t WindowPlanner::take(int64_t events) {
  if (session_ < 0 || (events > 0 && events + order_.length(session_) > window_)) return -1;
  const int32_t session = session_;
  session_ = order_.next();
  return session;
}

WindowSizes WindowPlanner::measure() const {
  WindowPlanner rest = *this;
  WindowSizes largest;
  while (rest.session_ >= 0) {
    int64_t events = 0, sessions = 0;
    for (int32_t session; (session = rest.take(events)) >= 0; ++sessions) events += order_.length(session);
    largest = {std::max(largest.events, events), std::max(largest.sessions, sessions), largest.windows + 1};
  }
  return largest;
}

bool WindowPlanner::next(Window& window) {
  window.parts.clear();
  window.events = 0;
  for (int32_t session; (session = take(window.events)) >= 0; window.events += order_.length(session))
    window.parts.push_back({session, static_cast<int32_t>(window.events)});
  std::sort(window.parts.begin(), window.parts.end(), [](const WindowPart& a, const WindowPart& b) {
    return a.session != b.session ? a.session < b.session : a.begin < b.begin;
  });
  return !window.parts.empty();
}

WindowRun join_parts(const Window& window, int64_t first_part, Span<const int32_t> places) {
  const std::vector<WindowPart>& parts = window.parts;
  const int32_t session = parts[first_part].session;
  WindowRun run{places[session], places[session + 1], first_part, first_part + 1};
  for (; run.end_part < static_cast<int64_t>(parts.size()); ++run.end_part) {
    const int32_t next = parts[run.end_part].session;
    const int64_t gap = places[next] - run.end;
    if (gap < 0 || gap > kGap) break;  // below 0 where an order has a session twice
    run.end = places[next + 1];
  }
  return run;
}

}  // namespace gru4rec
