#include "emulator/traffic.h"

#include <sys/mman.h>

#include <vector>

#include "emulator/cache.h"
#include "emulator/device_memory.h"
#include "emulator/options.h"
#include "emulator/report.h"

namespace gru4rec::emulator {

namespace {

constexpr size_t kSectorsOfWord = 64;

/// Which sectors of the arena were touched: one bit each, in memory that exists where it was written.
class Sectors {
 public:
  void add(size_t offset, size_t bytes) {
    for (size_t sector = offset / kSectorBytes; sector <= (offset + bytes - 1) / kSectorBytes; ++sector) {
      uint64_t& word = bits_[sector / kSectorsOfWord];
      if (word == 0) touched_.push_back(sector / kSectorsOfWord);
      word |= uint64_t{1} << sector % kSectorsOfWord;
    }
  }
  /// Calls `use` with each of them and forgets them. Returns how many there were.
  template <class Use>
  uint64_t take(const Use& use) {
    uint64_t count = 0;
    for (const size_t word : touched_) {
      for (uint64_t left = bits_[word]; left != 0; left &= left - 1, ++count)
        use(word * kSectorsOfWord + static_cast<size_t>(__builtin_ctzll(left)));
      bits_[word] = 0;
    }
    touched_.clear();
    return count;
  }
  void reserve(size_t arena_bytes) {
    if (bits_ != nullptr) return;
    void* memory = mmap(nullptr, arena_bytes / kSectorBytes / 8, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail("Expected memory for counting traffic but the system gave none");
    bits_ = static_cast<uint64_t*>(memory);
  }

 private:
  uint64_t* bits_ = nullptr;
  std::vector<size_t> touched_;  ///< words that are not 0
};

struct Counting {
  const char* arena = nullptr;
  size_t bytes = 0;  ///< of the arena; 0 = nothing is counted now
  Sectors read, written;
  Cache cache;
  bool fresh = true;  ///< the cache has to be emptied before anything is counted
  uint64_t accesses = 0;
};
Counting& counting = *new Counting;

bool instrumented = false;

/// False where it is no device memory, or nothing is counted now.
inline bool count(Sectors* sectors, const void* address, size_t bytes) {
  const size_t offset = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(counting.arena);
  if (offset >= counting.bytes || bytes == 0) return false;
  sectors->add(offset, bytes);
  return true;
}

}  // namespace

void forget_traffic() { counting.fresh = true; }

void start_traffic() {
  const Arena arena = device_arena();
  if (arena.bytes == 0) return;  // nothing was allocated yet
  if (counting.fresh)
    counting.cache.start(arena.bytes / kSectorBytes, static_cast<size_t>(options().cache_bytes) / kSectorBytes);
  counting.fresh = false;
  counting.read.reserve(arena.bytes);
  counting.written.reserve(arena.bytes);
  counting.arena = arena.start;
  counting.bytes = arena.bytes;
}

Traffic end_traffic() {
  Traffic traffic;
  traffic.bytes_read = counting.read.take([](size_t sector) { counting.cache.read(sector); }) * kSectorBytes;
  traffic.bytes_written = counting.written.take([](size_t sector) { counting.cache.write(sector); }) * kSectorBytes;
  traffic.bytes_fetched = counting.cache.take_fetched() * kSectorBytes;
  traffic.bytes_written_back = counting.cache.take_written_back() * kSectorBytes;
  traffic.accesses = counting.accesses;
  counting.accesses = 0;
  counting.bytes = 0;
  return traffic;
}

void count_read(const void* address, size_t bytes) { count(&counting.read, address, bytes); }
void count_written(const void* address, size_t bytes) { count(&counting.written, address, bytes); }

bool kernels_are_counted() { return instrumented; }

}  // namespace gru4rec::emulator

// What g++ -fsanitize=thread calls at every load and store. Its own library is not linked: these take its place. A
// build with a sanitizer has the sanitizer's.
#if !defined(GRU4REC_EMULATOR_ASAN) && !defined(GRU4REC_EMULATOR_TSAN)

namespace gru4rec::emulator {

namespace {

inline void load(const volatile void* address, size_t bytes) {
  if (count(&counting.read, const_cast<const void*>(address), bytes)) ++counting.accesses;
}

inline void store(const volatile void* address, size_t bytes) {
  if (count(&counting.written, const_cast<const void*>(address), bytes)) ++counting.accesses;
}

/// An atomic operation that reads and writes.
inline void update(const volatile void* address, size_t bytes) {
  load(address, bytes);
  store(address, bytes);
}

}  // namespace

}  // namespace gru4rec::emulator

using gru4rec::emulator::load;
using gru4rec::emulator::store;
using gru4rec::emulator::update;

extern "C" {

void __tsan_init() { gru4rec::emulator::instrumented = true; }
void __tsan_func_entry(void*) {}
void __tsan_func_exit(void*) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_read_range(void* address, size_t bytes) { load(address, bytes); }
void __tsan_write_range(void* address, size_t bytes) { store(address, bytes); }

#define GRU_COUNTED(bytes)                                                  \
  void __tsan_read##bytes(void* address) { load(address, bytes); }          \
  void __tsan_write##bytes(void* address) { store(address, bytes); }        \
  void __tsan_volatile_read##bytes(void* address) { load(address, bytes); } \
  void __tsan_volatile_write##bytes(void* address) { store(address, bytes); }
#define GRU_COUNTED_UNALIGNED(bytes)                                         \
  void __tsan_unaligned_read##bytes(void* address) { load(address, bytes); } \
  void __tsan_unaligned_write##bytes(void* address) { store(address, bytes); }
GRU_COUNTED(1)
GRU_COUNTED(2)
GRU_COUNTED(4)
GRU_COUNTED(8)
GRU_COUNTED(16)
GRU_COUNTED_UNALIGNED(2)
GRU_COUNTED_UNALIGNED(4)
GRU_COUNTED_UNALIGNED(8)
GRU_COUNTED_UNALIGNED(16)
#undef GRU_COUNTED
#undef GRU_COUNTED_UNALIGNED

// Atomics: the strongest order does for each. One that fails to exchange counts as a load and a store, too.
#define GRU_COUNTED_ATOMIC(bits, type)                                                                                 \
  type __tsan_atomic##bits##_load(const volatile type* address, int) {                                                 \
    load(address, sizeof(type));                                                                                       \
    return __atomic_load_n(address, __ATOMIC_SEQ_CST);                                                                 \
  }                                                                                                                    \
  void __tsan_atomic##bits##_store(volatile type* address, type value, int) {                                          \
    store(address, sizeof(type));                                                                                      \
    __atomic_store_n(address, value, __ATOMIC_SEQ_CST);                                                                \
  }                                                                                                                    \
  type __tsan_atomic##bits##_exchange(volatile type* address, type value, int) {                                       \
    update(address, sizeof(type));                                                                                     \
    return __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST);                                                      \
  }                                                                                                                    \
  bool __tsan_atomic##bits##_compare_exchange_strong(volatile type* address, type* expected, type desired, int, int) { \
    update(address, sizeof(type));                                                                                     \
    return __atomic_compare_exchange_n(address, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);         \
  }                                                                                                                    \
  bool __tsan_atomic##bits##_compare_exchange_weak(volatile type* address, type* expected, type desired, int, int) {   \
    update(address, sizeof(type));                                                                                     \
    return __atomic_compare_exchange_n(address, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);         \
  }                                                                                                                    \
  GRU_COUNTED_FETCH(bits, type, add)                                                                                   \
  GRU_COUNTED_FETCH(bits, type, sub)                                                                                   \
  GRU_COUNTED_FETCH(bits, type, and)                                                                                   \
  GRU_COUNTED_FETCH(bits, type, or)                                                                                    \
  GRU_COUNTED_FETCH(bits, type, xor)
#define GRU_COUNTED_FETCH(bits, type, operation)                                          \
  type __tsan_atomic##bits##_fetch_##operation(volatile type* address, type value, int) { \
    update(address, sizeof(type));                                                        \
    return __atomic_fetch_##operation(address, value, __ATOMIC_SEQ_CST);                  \
  }
GRU_COUNTED_ATOMIC(8, unsigned char)
GRU_COUNTED_ATOMIC(16, unsigned short)
GRU_COUNTED_ATOMIC(32, unsigned)
GRU_COUNTED_ATOMIC(64, unsigned long)
#undef GRU_COUNTED_ATOMIC
#undef GRU_COUNTED_FETCH

void __tsan_atomic_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
void __tsan_atomic_signal_fence(int) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

}  // extern "C"

#endif
