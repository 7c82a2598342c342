#include "emulator/cache.h"

#include <sys/mman.h>

#include <utility>

#include "emulator/report.h"

namespace gru4rec::emulator {

void Cache::start(size_t sectors, size_t capacity) {
  if (slot_of_ == nullptr) {
    void* memory = mmap(nullptr, sectors * sizeof(uint32_t), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail("Expected addresses for the cache of a profile but the system gave none");
    slot_of_ = static_cast<uint32_t*>(memory);
  }
  for (size_t slot = 1; slot < slots_.size(); ++slot) slot_of_[slots_[slot].sector] = 0;
  slots_.assign(1, {});
  capacity_ = capacity;
  newest_ = oldest_ = 0;
  fetched_ = written_back_ = 0;
}

uint64_t Cache::take_fetched() { return std::exchange(fetched_, 0); }
uint64_t Cache::take_written_back() { return std::exchange(written_back_, 0); }

bool Cache::use(size_t sector) {
  uint32_t slot = slot_of_[sector];
  const bool there = slot != 0;
  if (there) {
    if (slot == newest_) return true;
    unlink(slot);
  } else {
    if (slots_.size() <= capacity_) {
      slot = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      slot = oldest_made_free();
    }
    slot_of_[sector] = slot;
    slots_[slot].sector = sector;
    slots_[slot].dirty = false;
  }
  slots_[slot].newer = 0;
  slots_[slot].older = newest_;
  if (newest_ != 0) slots_[newest_].newer = slot;
  newest_ = slot;
  if (oldest_ == 0) oldest_ = slot;
  return there;
}

uint32_t Cache::oldest_made_free() {
  const uint32_t slot = oldest_;
  if (slots_[slot].dirty) ++written_back_;
  slot_of_[slots_[slot].sector] = 0;
  unlink(slot);
  return slot;
}

void Cache::unlink(uint32_t slot) {
  const Slot& gone = slots_[slot];
  if (gone.newer != 0) slots_[gone.newer].older = gone.older;
  if (gone.older != 0) slots_[gone.older].newer = gone.newer;
  if (slot == newest_) newest_ = gone.older;
  if (slot == oldest_) oldest_ = gone.newer;
}

}  // namespace gru4rec::emulator
