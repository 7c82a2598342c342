#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "emulator/fiber.h"
#include "emulator/options.h"
#include "emulator/shared_memory.h"

namespace gru4rec::emulator {

enum class ThreadState : uint8_t { ready, at_barrier, in_warp_operation, done };

/// A CUDA thread of a block in flight.
struct Thread : DeviceThread {
  ThreadState state;
  Fiber* fiber;   ///< null before it has started
  uint32_t rank;  ///< its place in the order of the schedule
  // What it waits for.
  Site site;
  WarpOperation operation;
  unsigned mask;
  int source;
  uint64_t brought;   ///< to the warp operation
  uint64_t received;  ///< from it
};

struct Warp {
  unsigned existing;  ///< lanes of the block
  unsigned live;      ///< lanes that have not returned
  unsigned waiting;   ///< lanes in a warp operation
};

/// A block in flight.
struct Block {
  uint3 index;  ///< blockIdx
  unsigned size, live;
  Thread* threads;  ///< [size]
  std::vector<Warp> warps;
  SharedMemory shared;

  // The barrier that its threads come to next.
  unsigned arrived;
  Site site;
  Barrier kind;
  int gathered;    ///< of the predicates so far
  int results[2];  ///< of this barrier and the one before, whose results may not have been read yet
  unsigned barriers;
  char order[2];  ///< stands for the barrier towards ThreadSanitizer
};

/// The kernel whose blocks run or are about to; null while none does.
extern const Kernel* running_kernel;

/// Runs all blocks of a kernel.
void run_kernel(const Kernel& kernel);

/// The threads in flight and whose turn it is.
struct Scheduler {
  std::vector<Thread> threads;  ///< of all blocks in flight
  std::vector<Block> blocks;
  std::vector<uint32_t> order;            ///< rank -> number in `threads`
  std::vector<uint64_t> ready;            ///< bit r: the thread of rank r is ready
  size_t first_ready = 0;                 ///< no word of `ready` before this one has a bit
  size_t live = 0;                        ///< threads that have not returned
  Schedule policy = Schedule::forward;    ///< never mix
  int64_t spins = 0;                      ///< turns given away since a thread became ready
  char kernel_start = 0, kernel_end = 0;  ///< stand for both towards ThreadSanitizer
};
extern Scheduler& scheduler;

inline Thread* running_thread() { return static_cast<Thread*>(current_thread); }

inline void make_ready(Thread* thread) {
  thread->state = ThreadState::ready;
  const size_t word = thread->rank / 64;
  scheduler.ready[word] |= uint64_t{1} << thread->rank % 64;
  scheduler.first_ready = std::min(scheduler.first_ready, word);
}

/// Runs other threads until the current one, whose state says what it waits for, is ready again and has its turn.
void wait_for_turn();

inline bool is_same_site(Site a, Site b) {
  return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

}  // namespace gru4rec::emulator
