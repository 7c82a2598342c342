#include "engine/session_file/window_reader.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "backend/backend.h"
#include "core/error.h"
#include "engine/session_file/item_file.h"

namespace gru4rec {

namespace {

/// Events that are read at once: long for a disk, and short for somebody who waits for the end of it.
constexpr int64_t kPiece = 131'072;

}  // namespace

ItemReader open_items(const SessionFile& file) {
  const auto items = std::make_shared<const ItemFile>(file);
  return {[items](int64_t first, Span<int32_t> out) { items->read(first, out); },
          [items] { items->expect_unchanged(); }};
}

WindowReader::WindowReader(const SessionFile& file, ItemReader reader)
    : file_(file), reader_(std::move(reader)), piece_(std::min<int64_t>(kPiece, file.places[file.count()])) {}

bool WindowReader::read(const Window& window, const std::atomic<bool>& stop, int32_t* out) {
  for (int64_t part = 0; part < static_cast<int64_t>(window.parts.size());) {
    const WindowRun run = join_parts(window, part, file_.places);
    if (!read_run(window, run, stop, out)) return false;
    part = run.end_part;
  }
  reader_.check();
  return true;
}

bool WindowReader::read_run(const Window& window, const WindowRun& run, const std::atomic<bool>& stop, int32_t* out) {
  int64_t part = run.first_part, taken = 0;  // events of that part
  for (int64_t first = run.first; first < run.end;) {
    if (stop) return false;
    const int64_t end = std::min(run.end, first + static_cast<int64_t>(piece_.size()));
    const Span<int32_t> piece{piece_.data(), end - first};
    reader_.read(first, piece);
    for (; part < run.end_part; ++part, taken = 0) {
      const auto [session, begin] = window.parts[part];
      const int64_t from = std::max<int64_t>(file_.places[session], first), own_end = file_.places[session + 1];
      if (from >= end) break;
      taken = take(piece.range(from - first, std::min(own_end, end) - from), from, session, taken, out + begin);
      if (own_end > end) break;  // the next piece goes on with it
      if (taken < length(session)) throw_other_length(session);
    }
    first = end;
  }
  return true;
}

int64_t WindowReader::take(Span<const int32_t> read, int64_t first, int32_t session, int64_t taken,
                           int32_t* out) const {
  for (int64_t i = 0; i < read.size; ++i) {
    const int32_t item = read[i];
    if (item < 0 || item >= file_.item_count)
      throw Error(ErrorCode::data, "Expected " + file_.path + " to have items from 0 to " +
                                       std::to_string(file_.item_count - 1) + " but event " +
                                       std::to_string(first + i) + " is of item " + std::to_string(item));
    const int32_t index = file_.index_of.empty() ? item : file_.index_of[item];
    if (index == kNoItem) continue;
    if (taken == length(session)) throw_other_length(session);
    out[taken++] = index;
  }
  return taken;
}

void WindowReader::throw_other_length(int32_t session) const {
  throw Error(ErrorCode::data, "Expected " + file_.path + " to stay as it is while it is trained on but session " +
                                   std::to_string(session) + " has another number of known items");
}

}  // namespace gru4rec
