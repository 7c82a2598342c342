#pragma once

#include <cstdint>
#include <string>

#include "core/matrix.h"

namespace gru4rec {

/// What tells one state of a file from another.
struct FileStamp {
  int64_t size = 0;      ///< bytes
  int64_t modified = 0;  ///< nanoseconds since 1970
};

/// Sessions whose items stay in a file until they are trained. The views must outlive the training.
struct SessionFile {
  std::string path;    ///< UTF-8
  FileStamp stamp;     ///< of the file when its contents were checked
  int64_t position;    ///< byte at which the items begin, int32 little-endian
  int64_t window;      ///< events in memory at a time, twice
  int64_t item_count;  ///< items in the file are below this

  Span<const int32_t> places;   ///< [sessions + 1] ascending, events of the file before each session
  Span<const int32_t> offsets;  ///< [sessions + 1] ascending, events that are trained before each session
  /// [item_count] the model's item of each of the file's, kNoItem where it has none: such events are left out, so that
  /// `offsets` differ from `places`. Empty = the model has the items of the file.
  Span<const int32_t> index_of;

  int64_t count() const { return offsets.size > 0 ? offsets.size - 1 : 0; }
};

}  // namespace gru4rec
