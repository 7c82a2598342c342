#include "engine/session_file/item_file.h"

#include <algorithm>
#include <system_error>

#include "core/error.h"

#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace gru4rec {

namespace {

constexpr int64_t kMostAtOnce = int64_t{1} << 30;  // systems take a count of 31 bits

}  // namespace

#if defined(_WIN32)

namespace {

std::wstring wide(const std::string& text) {
  const int length = static_cast<int>(text.size());
  std::wstring out(MultiByteToWideChar(CP_UTF8, 0, text.data(), length, nullptr, 0), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), length, out.data(), static_cast<int>(out.size()));
  return out;
}

/// FILETIME counts 100 ns since 1601.
int64_t nanoseconds(const FILETIME& time) {
  constexpr int64_t kUntil1970 = 116'444'736'000'000'000;
  return ((static_cast<int64_t>(time.dwHighDateTime) << 32 | time.dwLowDateTime) - kUntil1970) * 100;
}

int last_error() { return static_cast<int>(GetLastError()); }

}  // namespace

ItemFile::ItemFile(const SessionFile& file)
    : path_(file.path),
      expected_(file.stamp),
      position_(file.position),
      handle_(CreateFileW(wide(path_).c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                          nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr)) {
  if (handle_ == INVALID_HANDLE_VALUE) throw_unreadable();
  try {
    expect_unchanged();
  } catch (...) {
    CloseHandle(handle_);
    throw;
  }
}

ItemFile::~ItemFile() { CloseHandle(handle_); }

FileStamp ItemFile::stamp() const {
  BY_HANDLE_FILE_INFORMATION information;
  if (GetFileInformationByHandle(handle_, &information) == 0) throw_unreadable();
  const int64_t size = static_cast<int64_t>(information.nFileSizeHigh) << 32 | information.nFileSizeLow;
  return {size, nanoseconds(information.ftLastWriteTime)};
}

int64_t ItemFile::read_some(int64_t position, int64_t count, char* out) const {
  OVERLAPPED place = {};
  place.Offset = static_cast<DWORD>(position);
  place.OffsetHigh = static_cast<DWORD>(position >> 32);
  DWORD received = 0;
  if (ReadFile(handle_, out, static_cast<DWORD>(count), &received, &place) == 0 && GetLastError() != ERROR_HANDLE_EOF)
    throw_unreadable();
  return received;
}

#else

static_assert(sizeof(off_t) >= 8, "files are longer than 2 GiB");

namespace {

int last_error() { return errno; }

int64_t nanoseconds(const struct stat& status) {
#if defined(__APPLE__)
  const timespec& time = status.st_mtimespec;
#else
  const timespec& time = status.st_mtim;
#endif
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

ItemFile::ItemFile(const SessionFile& file)
    : path_(file.path),
      expected_(file.stamp),
      position_(file.position),
      handle_(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {  // a pipe in its place must not hold us up
  if (handle_ < 0) throw_unreadable();
  try {
    expect_unchanged();
  } catch (...) {
    close(handle_);
    throw;
  }
}

ItemFile::~ItemFile() { close(handle_); }

FileStamp ItemFile::stamp() const {
  struct stat status;
  if (fstat(handle_, &status) != 0) throw_unreadable();
  return {static_cast<int64_t>(status.st_size), nanoseconds(status)};
}

int64_t ItemFile::read_some(int64_t position, int64_t count, char* out) const {
  for (;;) {
    const ssize_t received = pread(handle_, out, static_cast<size_t>(count), static_cast<off_t>(position));
    if (received >= 0) return received;
    if (errno != EINTR) throw_unreadable();
  }
}

#endif

void ItemFile::read(int64_t first, Span<int32_t> items) const {
  constexpr int64_t kBytes = sizeof(int32_t);
  int64_t position = position_ + first * kBytes, left = items.size * kBytes;
  char* out = reinterpret_cast<char*>(items.data);
  while (left > 0) {
    const int64_t received = read_some(position, std::min(left, kMostAtOnce), out);
    if (received == 0)
      throw_changed("it ends at byte " + std::to_string(position) + " of " + std::to_string(expected_.size));
    position += received;
    out += received;
    left -= received;
  }
}

void ItemFile::expect_unchanged() const {
  const FileStamp now = stamp();
  if (now.size != expected_.size)
    throw_changed("it has " + std::to_string(now.size) + " bytes where it had " + std::to_string(expected_.size));
  if (now.modified != expected_.modified) throw_changed("it was written to or replaced");
}

void ItemFile::throw_changed(const std::string& found) const {
  throw Error(ErrorCode::file, "Expected " + path_ + " to stay as it is while it is trained on but " + found);
}

void ItemFile::throw_unreadable() const {
  const std::error_code why(last_error(), std::system_category());
  const bool missing = why == std::errc::no_such_file_or_directory;
  throw Error(ErrorCode::file, "Expected " + path_ + " to be a readable file but " +
                                   (missing ? "there is no such file" : why.message()));
}

}  // namespace gru4rec
