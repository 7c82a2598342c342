#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/sessions.h"
#include "engine/cancellation.h"
#include "engine/session_file/window_plan.h"
#include "engine/session_file/window_reader.h"

namespace gru4rec {

/// Sessions of a file in an order, window after window. A thread reads the window behind the one that is walked, so
/// that two are in memory; a session that has begun is in memory of its slot.
class SessionWindows final : public SessionSource {
 public:
  /// `order`, `cancellation` and the views of `file` must outlive it.
  /// @param slots  most slots that ask for sessions
  /// @param reader  what reads the file, on a thread of its own
  SessionWindows(const SessionFile& file, Span<const int32_t> order, int64_t slots, const Cancellation& cancellation,
                 ItemReader reader);
  /// Waits for the piece that is being read.
  ~SessionWindows() override;
  SessionWindows(const SessionWindows&) = delete;
  SessionWindows& operator=(const SessionWindows&) = delete;

  /// Throws ErrorCode::aborted, also while it waits for the file; what the reader throws, and as WindowReader does.
  Span<const int32_t> next(int64_t slot) override;
  int64_t count() const override { return order_.count(); }

 private:
  void open_next_window();
  /// The thread's work.
  void read_windows(WindowPlanner planner, int64_t most_sessions);

  SessionFile file_;
  SessionOrder order_;
  const Cancellation& cancellation_;
  std::vector<std::vector<int32_t>> slots_;  ///< items of each slot's session
  Span<const int32_t> open_;                 ///< what is left of the window that is walked
  WindowReader reader_;                      ///< the thread's
  std::vector<int32_t> windows_[2];          ///< window w is in w % 2: the thread's until it is read, then the walk's

  std::mutex mutex_;  ///< guards the members below
  std::condition_variable changed_;
  int64_t events_[2] = {};             ///< of the windows in memory
  int64_t read_ = 0;                   ///< windows that were read
  int64_t opened_ = 0;                 ///< windows whose walk has begun; only the last of them is still needed
  std::exception_ptr failure_;         ///< of the thread
  std::atomic<bool> stopping_{false};  ///< written under the mutex, read without it as well

  std::thread thread_;  ///< begins when all is there that it uses
};

}  // namespace gru4rec
