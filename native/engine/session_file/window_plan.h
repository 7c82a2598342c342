#pragma once

#include <cstdint>
#include <vector>

#include "core/sessions.h"

namespace gru4rec {

/// A session of a window.
struct WindowPart {
  int32_t session;
  int32_t begin;  ///< its first event's place in the window
};

/// Sessions that are in memory together. In the window they stand in the order of training, one behind the other.
struct Window {
  std::vector<WindowPart> parts;  ///< in the order of the file
  int64_t events = 0;
};

/// The largest windows of a walk, and how many there are.
struct WindowSizes {
  int64_t events = 0, sessions = 0, windows = 0;
};

/// Cuts the sessions of an order into windows of at most so many events; a longer session is a window of its own.
/// Nothing but integers.
class WindowPlanner {
 public:
  WindowPlanner(const SessionOrder& order, int64_t window) : order_(order), window_(window), session_(order_.next()) {}

  /// The windows that are left. O(sessions).
  WindowSizes measure() const;
  /// Fills in the next window and returns true, or returns false behind the last one.
  bool next(Window& window);

 private:
  /// Takes the next session if it belongs to a window that has so many events so far: its number, else -1.
  int32_t take(int64_t events);

  SessionOrder order_;
  int64_t window_;
  int32_t session_;  ///< the next one, -1 = none
};

/// A piece of the file that is read from end to end: the events [first, end) of it, and whose they are.
struct WindowRun {
  int64_t first, end;
  int64_t first_part, end_part;
};

/// The run that begins with the part `first_part` of a window: sessions that are neighbours in the file, or nearly, so
/// that reading what is between them costs less than to begin anew.
/// @param places  [sessions + 1] where the events of each session begin in the file
WindowRun join_parts(const Window& window, int64_t first_part, Span<const int32_t> places);

}  // namespace gru4rec
