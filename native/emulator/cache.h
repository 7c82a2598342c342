#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gru4rec::emulator {

/// A level 2 cache as a profile sees it: sectors of device memory, of which the one that was used longest ago leaves
/// first, and is written back if it was written. It holds no data.
class Cache {
 public:
  /// Empties it.
  /// @param sectors   of the arena
  /// @param capacity  sectors that it holds, at least 1
  void start(size_t sectors, size_t capacity);

  void read(size_t sector) {
    if (!use(sector)) ++fetched_;
  }
  /// A sector that is not there is not fetched: the cache knows which bytes of it were written.
  void write(size_t sector) {
    use(sector);
    slots_[newest_].dirty = true;
  }

  /// Sectors that came from memory since the last call, and that went there.
  uint64_t take_fetched();
  uint64_t take_written_back();

 private:
  /// A place of the cache, between the one that was used next and the one that was used before. Number 0 is none.
  struct Slot {
    size_t sector;
    uint32_t newer, older;
    bool dirty;
  };

  /// Makes the slot of `sector` the newest one. False where it was not there.
  bool use(size_t sector);
  uint32_t oldest_made_free();
  void unlink(uint32_t slot);

  uint32_t* slot_of_ = nullptr;  ///< [sectors] 0 = not there
  std::vector<Slot> slots_;
  size_t capacity_ = 0;
  uint32_t newest_ = 0, oldest_ = 0;
  uint64_t fetched_ = 0, written_back_ = 0;
};

}  // namespace gru4rec::emulator
