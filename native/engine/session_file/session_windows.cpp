#include "engine/session_file/session_windows.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gru4rec {

namespace {

/// How often a walk that waits for the file looks whether it was cancelled.
constexpr std::chrono::milliseconds kPatience{20};

}  // namespace

SessionWindows::SessionWindows(const SessionFile& file, Span<const int32_t> order, int64_t slots,
                               const Cancellation& cancellation, ItemReader reader)
    : file_(file),
      order_(file.offsets, order),
      cancellation_(cancellation),
      slots_(std::min(slots, order.size)),
      reader_(file_, std::move(reader)) {
  const WindowPlanner planner(order_, file.window);
  const WindowSizes largest = planner.measure();
  for (int64_t w = 0; w < std::min<int64_t>(largest.windows, 2); ++w) windows_[w].resize(largest.events);
  thread_ = std::thread([this, planner, largest] {
    try {
      read_windows(planner, largest.sessions);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      failure_ = std::current_exception();
    }
    changed_.notify_all();
  });
}

SessionWindows::~SessionWindows() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Span<const int32_t> SessionWindows::next(int64_t slot) {
  const int32_t session = order_.next();
  if (session < 0) return {};
  if (open_.empty()) open_next_window();
  const Span<const int32_t> items = open_.range(0, order_.length(session));
  open_ = open_.range(items.size, open_.size - items.size);
  slots_[slot].assign(items.begin(), items.end());
  return {slots_[slot].data(), items.size};
}

void SessionWindows::open_next_window() {
  std::unique_lock<std::mutex> lock(mutex_);
  const int64_t window = opened_++;
  changed_.notify_all();
  while (read_ <= window) {
    if (failure_) std::rethrow_exception(failure_);
    cancellation_.check();
    changed_.wait_for(lock, kPatience);
  }
  open_ = {windows_[window % 2].data(), events_[window % 2]};
}

void SessionWindows::read_windows(WindowPlanner planner, int64_t most_sessions) {
  Window window;
  window.parts.reserve(most_sessions);
  while (planner.next(window)) {
    int64_t number;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || read_ <= std::max<int64_t>(opened_, 1); });
      number = read_;
    }
    if (!reader_.read(window, stopping_, windows_[number % 2].data())) return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      events_[number % 2] = window.events;
      ++read_;
    }
    changed_.notify_all();
  }
}

}  // namespace gru4rec
