#pragma once

/// What the sanitizers have to be told. The emulator itself is compiled without them: it switches stacks and looks at
/// memory that kernels must not touch. CMakeLists.txt defines GRU4REC_EMULATOR_ASAN or GRU4REC_EMULATOR_TSAN when the
/// code that it runs is instrumented.
#ifdef GRU4REC_EMULATOR_ASAN
#include <sanitizer/asan_interface.h>
#endif
#ifdef GRU4REC_EMULATOR_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if defined(GRU4REC_EMULATOR_ASAN) || defined(GRU4REC_EMULATOR_TSAN)
#include <sanitizer/common_interface_defs.h>
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gru4rec::emulator {

#ifdef GRU4REC_EMULATOR_ASAN
constexpr bool kAddressSanitizer = true;
/// Memory that no kernel and no host code may touch, until it is opened.
inline void close_memory(const void* memory, size_t bytes) { __asan_poison_memory_region(memory, bytes); }
inline void open_memory(const void* memory, size_t bytes) { __asan_unpoison_memory_region(memory, bytes); }
#else
constexpr bool kAddressSanitizer = false;
inline void close_memory(const void*, size_t) {}
inline void open_memory(const void*, size_t) {}
#endif

#ifdef GRU4REC_EMULATOR_TSAN
constexpr bool kThreadSanitizer = true;
/// What happened before happens_before(p) in one thread, happened before what comes after happens_after(p) in another.
inline void happens_before(void* point) { __tsan_release(point); }
inline void happens_after(void* point) { __tsan_acquire(point); }
#else
constexpr bool kThreadSanitizer = false;
inline void happens_before(void*) {}
inline void happens_after(void*) {}
#endif

/// Calls `report` when a sanitizer ends the process.
inline void report_at_death(void (*report)()) {
#if defined(GRU4REC_EMULATOR_ASAN) || defined(GRU4REC_EMULATOR_TSAN)
  __sanitizer_set_death_callback(report);
#else
  static_cast<void>(report);
#endif
}

/// memset and memcpy are watched by the sanitizers wherever they are called; this fill is not.
inline void fill_unwatched(void* memory, unsigned char value, size_t bytes) {
#if defined(__x86_64__)
  asm volatile("rep stosb" : "+D"(memory), "+c"(bytes) : "a"(value) : "memory");
#else
  for (volatile unsigned char* byte = static_cast<unsigned char*>(memory); bytes > 0; --bytes) *byte++ = value;
#endif
}

/// Memory that was never written: a NaN as a float and as a double, a huge negative number as an integer, and none of
/// the values that kernels use for "nothing", as all ones would be.
inline void fill_with_garbage(void* memory, size_t bytes) {
  constexpr uint32_t kGarbage = 0xfff1fff1u;
  size_t words = bytes / sizeof kGarbage;
#if defined(__x86_64__)
  asm volatile("rep stosl" : "+D"(memory), "+c"(words) : "a"(kGarbage) : "memory");
#else
  volatile uint32_t* word = static_cast<uint32_t*>(memory);
  for (; words > 0; --words) *word++ = kGarbage;
  memory = const_cast<uint32_t*>(word);
#endif
  fill_unwatched(memory, 0xff, bytes % sizeof kGarbage);
}

}  // namespace gru4rec::emulator
