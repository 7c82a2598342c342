#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "engine/session_file/session_file.h"
#include "engine/session_file/window_plan.h"

namespace gru4rec {

/// What a WindowReader reads.
struct ItemReader {
  /// Reads the file's items from event `first` on.
  std::function<void(int64_t first, Span<int32_t> items)> read;
  /// Throws where the file is not what it was.
  std::function<void()> check;
};

/// Opens the file itself. Throws as ItemFile does.
ItemReader open_items(const SessionFile& file);

/// Brings the sessions of windows into memory: reads the file from its beginning to its end, and puts each session
/// where it belongs, with the model's items.
class WindowReader {
 public:
  WindowReader(const SessionFile& file, ItemReader reader);

  /// Reads a window to `out` [events], in pieces of half a megabyte. Returns false where `stop` became true.
  /// Throws ErrorCode::data where the file has items or sessions that it must not have; what the reader throws.
  bool read(const Window& window, const std::atomic<bool>& stop, int32_t* out);

 private:
  bool read_run(const Window& window, const WindowRun& run, const std::atomic<bool>& stop, int32_t* out);
  /// Appends the model's items of `read`, which are events of `session` from event `first` of the file on, to the
  /// `taken` that are at `out`. Returns how many there are then.
  int64_t take(Span<const int32_t> read, int64_t first, int32_t session, int64_t taken, int32_t* out) const;
  int64_t length(int32_t session) const { return file_.offsets[session + 1] - file_.offsets[session]; }
  [[noreturn]] void throw_other_length(int32_t session) const;

  const SessionFile& file_;
  ItemReader reader_;
  std::vector<int32_t> piece_;
};

}  // namespace gru4rec
