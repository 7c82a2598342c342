#pragma once

#include <cstdint>
#include <string>

#include "core/matrix.h"
#include "engine/session_file/session_file.h"

namespace gru4rec {

/// The items of a click log in its file, read piece by piece. This room's only part that knows the system.
class ItemFile {
 public:
  /// Throws ErrorCode::file where the file cannot be opened or is not what it was.
  explicit ItemFile(const SessionFile& file);
  ~ItemFile();
  ItemFile(const ItemFile&) = delete;
  ItemFile& operator=(const ItemFile&) = delete;

  /// Reads the items from event `first` of the file on. Throws ErrorCode::file.
  void read(int64_t first, Span<int32_t> items) const;
  /// Throws ErrorCode::file where the file has another size or was written to since its contents were checked.
  void expect_unchanged() const;

 private:
  /// Bytes read, 0 = the file ends there. `count` is at most 1 GiB.
  int64_t read_some(int64_t position, int64_t count, char* out) const;
  FileStamp stamp() const;
  [[noreturn]] void throw_changed(const std::string& found) const;
  /// With the system's last error.
  [[noreturn]] void throw_unreadable() const;

  std::string path_;
  FileStamp expected_;
  int64_t position_;
#if defined(_WIN32)
  void* handle_;
#else
  int handle_;
#endif
};

}  // namespace gru4rec
