#pragma once

#include <cstdint>

#include "backend/scratch.h"

namespace gru4rec::cpu {

/// Aligned to 64 bytes; null when there is no memory left.
void* allocate_aligned(int64_t bytes);
/// What allocate_aligned asks of the system for `bytes`.
int64_t allocation_size(int64_t bytes);
void release_aligned(void* memory);

/// Memory of a Scratch.
struct WorkSpace {
  static void* allocate(int64_t bytes);
  static void release(void* memory) { release_aligned(memory); }
};

template <class T>
using Scratch = BasicScratch<T, WorkSpace>;

}  // namespace gru4rec::cpu
