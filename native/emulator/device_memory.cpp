#include "emulator/device_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <string>

#include "emulator/faults.h"
#include "emulator/options.h"
#include "emulator/report.h"
#include "emulator/sanitizers.h"

namespace gru4rec::emulator {

namespace {

constexpr size_t kArena = size_t{256} << 30;
constexpr size_t kPage = 4096;
constexpr size_t kZone = 256;  ///< before and after each allocation, at least
constexpr size_t kUnit = 256;  ///< sizes are counted in these
constexpr unsigned char kNan = 0xFF, kZoneFill = 0xFB;

struct Allocation {
  size_t bytes;
  int device;
};
using Allocations = std::map<const char*, Allocation>;  ///< by start

struct Memory {
  char* arena = nullptr;
  char* top = nullptr;  ///< first page that was never used
  Allocations live, freed;
  std::map<char*, char*> holes;          ///< freed pages, first -> end; neighbours are joined
  std::map<const char*, size_t> pinned;  ///< start -> bytes
  std::map<int, size_t> used;            ///< device -> bytes, in whole units
  int users = 0;                         ///< DeviceAccess objects
  bool protecting = true;                ///< the arena is still small
};
Memory& memory = *new Memory;

size_t whole(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

void reserve_arena() {
  if (memory.arena != nullptr) return;
  void* arena = mmap(nullptr, kArena, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (arena == MAP_FAILED) fail("Expected %zu bytes of addresses for device memory but the system gave none", kArena);
  memory.arena = memory.top = static_cast<char*>(arena);
  watch_faults();
}

/// The first page that is not in a hole at the start of the arena.
char* first_used() {
  const auto first = memory.holes.begin();
  return first != memory.holes.end() && first->first == memory.arena ? first->second : memory.arena;
}

/// Opens all used pages that are not in a hole, or closes them.
void protect(int access) {
  char* from = first_used();
  for (const auto& [first, last] : memory.holes) {
    if (first > from) mprotect(from, static_cast<size_t>(first - from), access);
    from = std::max(from, last);
  }
  if (memory.top > from) mprotect(from, static_cast<size_t>(memory.top - from), access);
}

void add_hole(char* first, char* last) {
  // Gives the pages back; what touches them faults.
  if (mmap(first, static_cast<size_t>(last - first), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
           -1, 0) == MAP_FAILED)
    fail("Expected to give freed device memory back but the system refused");
  auto next = memory.holes.lower_bound(first);
  if (next != memory.holes.end() && next->first == last) {
    last = next->second;
    next = memory.holes.erase(next);
  }
  if (next != memory.holes.begin() && std::prev(next)->second == first) {
    std::prev(next)->second = last;
  } else {
    memory.holes[first] = last;
  }
}

/// The allocation that holds `address`, or null. The end of an allocation belongs to it where `with_end`.
const Allocations::value_type* find(const Allocations& allocations, const void* address, bool with_end) {
  const char* byte = static_cast<const char*>(address);
  auto next = allocations.upper_bound(byte);
  if (next == allocations.begin()) return nullptr;
  const auto& found = *std::prev(next);
  return byte < found.first + found.second.bytes + (with_end ? 1 : 0) ? &found : nullptr;
}

/// The pages of an allocation: [zone][bytes][zone up to the end of a page].
char* first_page(const char* start) { return const_cast<char*>(start) - kZone; }
size_t page_bytes(size_t bytes) { return whole(kZone + bytes + kZone, kPage); }

/// How far the changes reach into a zone of kZone bytes: from its start where `from_start`, else from its end. 0 =
/// none.
size_t changed(const char* zone, bool from_start) {
  static const std::string& untouched = *new std::string(kZone, static_cast<char>(kZoneFill));
  if (std::memcmp(zone, untouched.data(), kZone) == 0) return 0;
  size_t first = 0, last = kZone;
  while (zone[first] == untouched[first]) ++first;
  while (zone[last - 1] == untouched[last - 1]) --last;
  return from_start ? last : kZone - first;
}

}  // namespace

void* allocate_device_memory(size_t bytes, int device) {
  reserve_arena();
  if (bytes > static_cast<size_t>(options().memory_bytes) ||
      memory.used[device] + whole(bytes, kUnit) > static_cast<size_t>(options().memory_bytes))
    return nullptr;
  const size_t size = page_bytes(bytes);
  if (memory.top + size > memory.arena + kArena)
    fail("a process may allocate %zu bytes of device memory in all", kArena);
  char* pages = memory.top;
  char* start = pages + kZone;
  mprotect(pages, size, PROT_READ | PROT_WRITE);
  fill_unwatched(pages, kZoneFill, kZone);
  fill_with_garbage(start, bytes);
  fill_unwatched(start + bytes, kZoneFill, size - kZone - bytes);
  memory.top += size;
  memory.live[start] = {bytes, device};
  memory.used[device] += whole(bytes, kUnit);
  close_memory(pages, size);
  open_memory(start, bytes);
  if (memory.protecting && memory.top - first_used() > options().protect_bytes) {
    protect(PROT_READ | PROT_WRITE);
    memory.protecting = false;
  } else if (memory.protecting && memory.users == 0) {
    mprotect(pages, size, PROT_NONE);
  }
  return start;
}

size_t free_device_memory(void* address) {
  const auto found = memory.live.find(static_cast<char*>(address));
  if (found == memory.live.end()) {
    fail(
        "cudaFree of %p, which %s", address,
        memory.freed.count(static_cast<char*>(address)) > 0 ? "was freed before" : "is not the start of an allocation");
  }
  const Allocation allocation = found->second;
  char* pages = first_page(found->first);
  memory.used[allocation.device] -= whole(allocation.bytes, kUnit);
  memory.freed.insert(memory.live.extract(found));
  close_memory(address, allocation.bytes);
  add_hole(pages, pages + page_bytes(allocation.bytes));
  return allocation.bytes;
}

size_t used_device_memory(int device) { return memory.used[device]; }

bool is_device_memory(const void* address) {
  return memory.arena != nullptr && address >= memory.arena && address < memory.arena + kArena;
}

Arena device_arena() { return {memory.arena, memory.arena != nullptr ? kArena : 0}; }

const char* problem_of_pointer(const void* pointer, int device) {
  if (pointer == nullptr) return nullptr;
  if (!is_device_memory(pointer)) return "is not device memory";
  // The end of an allocation is a legal value: that of an empty range.
  const auto* found = find(memory.live, pointer, true);
  if (found == nullptr)
    return find(memory.freed, pointer, true) != nullptr ? "was freed" : "lies outside every device allocation";
  return found->second.device != device ? "is memory of another device" : nullptr;
}

bool is_device_range(const void* address, size_t bytes) {
  const auto* found = find(memory.live, address, true);
  return found != nullptr && static_cast<const char*>(address) + bytes <= found->first + found->second.bytes;
}

void check_zones(const char* what) {
  if (kAddressSanitizer) return;  // it has seen more
  for (const auto& [start, allocation] : memory.live) {
    if (const size_t bytes = changed(start + allocation.bytes, true); bytes > 0)
      fail("%s wrote %zu bytes past the end of a device allocation of %zu bytes", what, bytes, allocation.bytes);
    if (const size_t bytes = changed(start - kZone, false); bytes > 0)
      fail("%s wrote %zu bytes before the start of a device allocation of %zu bytes", what, bytes, allocation.bytes);
  }
}

DeviceAccess::DeviceAccess() {
  if (memory.users++ == 0 && memory.protecting) protect(PROT_READ | PROT_WRITE);
}

DeviceAccess::~DeviceAccess() {
  if (--memory.users == 0 && memory.protecting) protect(PROT_NONE);
}

void* allocate_pinned(size_t bytes) {
  void* address = std::malloc(std::max<size_t>(bytes, 1));
  if (address == nullptr) return nullptr;
  std::memset(address, kNan, bytes);
  memory.pinned[static_cast<char*>(address)] = bytes;
  return address;
}

size_t free_pinned(void* address) {
  const auto found = memory.pinned.find(static_cast<char*>(address));
  if (found == memory.pinned.end()) fail("cudaFreeHost of %p, which is not the start of pinned memory", address);
  const size_t bytes = found->second;
  memory.pinned.erase(found);
  std::free(address);
  return bytes;
}

bool is_pinned_range(const void* address, size_t bytes) {
  const char* byte = static_cast<const char*>(address);
  auto next = memory.pinned.upper_bound(byte);
  if (next == memory.pinned.begin()) return false;
  const auto& [first, size] = *std::prev(next);
  return byte + bytes <= first + size && (bytes > 0 || byte < first + size);
}

}  // namespace gru4rec::emulator
