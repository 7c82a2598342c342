#include "emulator/shared_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "emulator/launch.h"
#include "emulator/options.h"
#include "emulator/report.h"
#include "emulator/sanitizers.h"
#include "emulator/scheduler.h"

namespace gru4rec::emulator {

namespace {

constexpr size_t kMemory = size_t{1} << 20;
constexpr size_t kZone = 64;
constexpr unsigned char kZoneFill = 0xFB;

}  // namespace

void SharedMemory::start(size_t dynamic_bytes) {
  if (memory_ == nullptr) {
    void* memory = mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail("Expected memory for shared memory but the system gave none");
    memory_ = static_cast<char*>(memory);
    close_memory(memory_, kMemory);
  }
  for (const Variable& variable : variables_) close_memory(variable.first, variable.bytes);
  variables_.clear();
  used_ = 0;
  static_bytes_ = 0;
  dynamic_bytes_ = dynamic_bytes;
  dynamic_ = dynamic_bytes > 0 ? add(this, dynamic_bytes, 128, "dynamic shared memory") : nullptr;
}

char* SharedMemory::add(const void* key, size_t bytes, size_t alignment, const char* name) {
  const size_t first = (used_ + kZone + alignment - 1) / alignment * alignment;
  if (first + bytes + kZone > kMemory) fail("%s has %zu bytes, which no block has", name, bytes);
  char* memory = memory_ + first;
  fill_unwatched(memory_ + used_, kZoneFill, first - used_);
  fill_with_garbage(memory, bytes);
  fill_unwatched(memory + bytes, kZoneFill, kZone);
  open_memory(memory, bytes);
  used_ = first + bytes;
  variables_.push_back({key, name, memory, bytes});
  return memory;
}

void* SharedMemory::variable(const void* key, size_t bytes, size_t alignment, const char* name) {
  for (const Variable& variable : variables_)
    if (variable.key == key) return variable.first;
  static_bytes_ += bytes;
  const size_t limit = shared_memory_limit(running_kernel->function);
  if (static_bytes_ > kSharedWithoutAsking || static_bytes_ + dynamic_bytes_ > limit) {
    fail("the block uses %zu bytes of shared memory and %zu of dynamic shared memory; %zu and %zu together are allowed",
         static_bytes_, dynamic_bytes_, kSharedWithoutAsking, limit);
  }
  return add(key, bytes, std::max<size_t>(alignment, 16), name);
}

void SharedMemory::check(uint3 block) const {
  if (kAddressSanitizer) return;  // it has seen more, and would see this reading
  for (const Variable& variable : variables_) {
    for (size_t i = 0; i < kZone; ++i) {
      const unsigned char after = static_cast<unsigned char>(variable.first[variable.bytes + i]);
      const unsigned char before = static_cast<unsigned char>(variable.first[-1 - static_cast<ptrdiff_t>(i)]);
      if (after == kZoneFill && before == kZoneFill) continue;
      fail("block (%u, %u, %u) wrote %zu bytes %s the shared array %s of %zu bytes", block.x, block.y, block.z, i + 1,
           after != kZoneFill ? "past the end of" : "before", variable.name, variable.bytes);
    }
  }
}

bool SharedMemory::contains(const void* address) const {
  return memory_ != nullptr && address >= memory_ && address < memory_ + kMemory;
}

void* shared_variable(const void* key, size_t bytes, size_t alignment, const char* name) {
  return current_thread->block->shared.variable(key, bytes, alignment, name);
}

void* dynamic_shared() {
  void* memory = current_thread->block->shared.dynamic();
  if (memory == nullptr) fail("the kernel uses dynamic shared memory but was launched with none");
  return memory;
}

}  // namespace gru4rec::emulator
