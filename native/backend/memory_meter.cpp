#include "backend/memory_meter.h"

namespace gru4rec {

void* MemoryMeter::allocate(int64_t bytes) {
  constexpr uintptr_t kAlignment = 64;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): nothing is there
  void* address = reinterpret_cast<void*>(next_address_);
  next_address_ += (static_cast<uintptr_t>(bytes) / kAlignment + 1) * kAlignment;
  sizes_[address] = rounded(bytes);
  allocated_ += rounded(bytes);
  return address;
}

void MemoryMeter::release(void* memory) {
  const auto found = sizes_.find(memory);
  allocated_ -= found->second;
  sizes_.erase(found);
}

}  // namespace gru4rec
