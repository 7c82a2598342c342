#include "count_allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<int64_t> allocations{0};

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void*, size_t),
                                                         void (*on_free)(const volatile void*));
extern "C" size_t __sanitizer_get_current_allocated_bytes();

namespace {

[[maybe_unused]] const int hooks = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, size_t) { ++allocations; }, [](const volatile void*) {});

}  // namespace

#elif defined(__GLIBC__)

#include <malloc.h>

namespace {

std::atomic<int64_t> live_bytes{0};

/// Counts a new block.
void* counted(void* memory) {
  ++allocations;
  live_bytes += static_cast<int64_t>(malloc_usable_size(memory));
  return memory;
}

void forget(void* memory) { live_bytes -= static_cast<int64_t>(malloc_usable_size(memory)); }

}  // namespace

extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
void __libc_free(void* memory);

void* malloc(size_t size) { return counted(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }
void* realloc(void* memory, size_t size) {
  forget(memory);
  return counted(__libc_realloc(memory, size));
}
void* aligned_alloc(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = counted(__libc_memalign(alignment, size));
  return *memory != nullptr ? 0 : 12;  // ENOMEM
}
void free(void* memory) {
  forget(memory);
  __libc_free(memory);
}
}

#else

void* operator new(size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

#endif

namespace gru4rec::test {

int64_t allocations_so_far() { return allocations; }

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int64_t live_heap_bytes() { return static_cast<int64_t>(__sanitizer_get_current_allocated_bytes()); }
#elif defined(__GLIBC__)
int64_t live_heap_bytes() {
  // Blocks that are mapped each on its own count with all of their alignment's room.
  constexpr int kLargest = 32 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargest);
  return live_bytes;
}
#else
int64_t live_heap_bytes() { return -1; }
#endif

}  // namespace gru4rec::test
