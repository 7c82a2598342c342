#pragma once

#include "backend/scratch.h"
#include "backends/cuda/memory.h"

namespace gru4rec::cuda {

/// Memory of a Scratch. Releasing it waits for the device, and so does a Scratch that has to grow.
struct WorkSpace {
  static void* allocate(int64_t bytes) { return allocate_device_memory(bytes); }
  static void release(void* memory) { cudaFree(memory); }
};

template <class T>
using Scratch = BasicScratch<T, WorkSpace>;

/// Host memory that a device copies to by itself.
struct PinnedSpace {
  static void* allocate(int64_t bytes) { return allocate_pinned_memory(bytes); }
  static void release(void* memory) { cudaFreeHost(memory); }
};
using PinnedScratch = BasicScratch<char, PinnedSpace>;

}  // namespace gru4rec::cuda
