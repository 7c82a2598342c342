#pragma once

#include <cstddef>
#include <cstdint>

#include "emulated/language.h"

/// What the inline built-ins of device.h ask of the emulator while a kernel runs.
namespace gru4rec::emulator {

/// A place in the sources.
struct Site {
  const char* file;
  int line;
};

/// As a default argument: the place of the call. Code that is inlined keeps the place of its text.
constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }

struct Block;

/// The part of a CUDA thread that the built-ins read.
struct DeviceThread {
  uint3 index;    ///< threadIdx
  unsigned lane;  ///< in its warp
  unsigned warp;  ///< in its block
  Block* block;
};

/// The thread that is running; null while host code runs.
extern DeviceThread* current_thread;

enum class Barrier : uint8_t { plain, count, any, all };
/// Waits for all threads of the block. Returns what the predicates of `kind` come to.
int block_barrier(Barrier kind, int predicate, Site site);

enum class WarpOperation : uint8_t { sync, shuffle, ballot, match };
/// Waits for the lanes of `mask` and returns this lane's result.
/// @param value   what this lane brings
/// @param source  shuffle: the lane whose value is returned
uint64_t warp_operation(WarpOperation operation, unsigned mask, uint64_t value, int source, Site site);

/// A place where the schedule may let another thread run first (an atomic operation).
void may_switch();
/// A place where another thread has to run for this one to get on (a failed compare-and-swap).
void must_switch();
/// __threadfence: what ThreadSanitizer is told about it.
void memory_fence();

void* shared_variable(const void* key, size_t bytes, size_t alignment, const char* name);
void* dynamic_shared();

/// __trap
[[noreturn]] void trap(Site site);

}  // namespace gru4rec::emulator
