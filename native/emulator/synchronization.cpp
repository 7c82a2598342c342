#include <atomic>

#include "emulator/report.h"
#include "emulator/sanitizers.h"
#include "emulator/scheduler.h"

/// Barriers, warp operations and fences, with the checks that a GPU does not make: there they hang, or give any result.
namespace gru4rec::emulator {

namespace {

int start_value(Barrier kind) { return kind == Barrier::all ? 1 : 0; }

int gather(Barrier kind, int gathered, int predicate) {
  switch (kind) {
    case Barrier::count:
      return gathered + (predicate != 0);
    case Barrier::any:
      return gathered != 0 || predicate != 0;
    case Barrier::all:
      return gathered != 0 && predicate != 0;
    default:
      return 0;
  }
}

/// Every lane of the mask has come, and to the same operation.
void check_lanes(const Thread& thread, const Thread* lanes) {
  for (unsigned left = thread.mask; left != 0; left &= left - 1) {
    const Thread& other = lanes[__builtin_ctz(left)];
    if (other.operation == thread.operation && other.mask == thread.mask && is_same_site(other.site, thread.site))
      continue;
    fail("lanes of one warp meet in different operations: lane %u at %s:%d, mask %08x, and lane %u at %s:%d, mask %08x",
         thread.lane, thread.site.file, thread.site.line, thread.mask, other.lane, other.site.file, other.site.line,
         other.mask);
  }
}

uint64_t result(const Thread& thread, const Thread* lanes) {
  uint64_t bits = 0;
  switch (thread.operation) {
    case WarpOperation::sync:
      return 0;
    case WarpOperation::shuffle:
      if (thread.source < 0 || thread.source >= warpSize || (thread.mask >> thread.source & 1) == 0) {
        fail("the shuffle at %s:%d: lane %u reads lane %d, which is not in the mask %08x", thread.site.file,
             thread.site.line, thread.lane, thread.source, thread.mask);
      }
      return lanes[thread.source].brought;
    case WarpOperation::ballot:
      for (unsigned left = thread.mask; left != 0; left &= left - 1)
        bits |= lanes[__builtin_ctz(left)].brought << __builtin_ctz(left);
      return bits;
    case WarpOperation::match:
      for (unsigned left = thread.mask; left != 0; left &= left - 1)
        if (lanes[__builtin_ctz(left)].brought == thread.brought) bits |= uint64_t{1} << __builtin_ctz(left);
      return bits;
  }
  return 0;
}

}  // namespace

int block_barrier(Barrier kind, int predicate, Site site) {
  Thread* thread = running_thread();
  Block& block = *thread->block;
  thread->site = site;
  if (block.live < block.size) {
    fail("__syncthreads at %s:%d but %u threads of the block have returned", site.file, site.line,
         block.size - block.live);
  }
  if (block.arrived == 0) {
    block.site = site;
    block.kind = kind;
    block.gathered = start_value(kind);
  } else if (block.kind != kind || !is_same_site(block.site, site)) {
    fail("divergent barrier: this thread is at %s:%d, others of its block wait at %s:%d", site.file, site.line,
         block.site.file, block.site.line);
  }
  block.gathered = gather(kind, block.gathered, predicate);
  const unsigned parity = block.barriers & 1;
  happens_before(&block.order[parity]);
  thread->state = ThreadState::at_barrier;
  if (++block.arrived == block.size) {
    block.results[parity] = block.gathered;
    block.arrived = 0;
    ++block.barriers;
    for (unsigned i = 0; i < block.size; ++i) make_ready(&block.threads[i]);
  }
  wait_for_turn();
  happens_after(&block.order[parity]);
  return block.results[parity];
}

uint64_t warp_operation(WarpOperation operation, unsigned mask, uint64_t value, int source, Site site) {
  Thread* thread = running_thread();
  Block& block = *thread->block;
  Warp& warp = block.warps[thread->warp];
  Thread* lanes = &block.threads[thread->warp * warpSize];
  thread->operation = operation;
  thread->mask = mask;
  thread->brought = value;
  thread->source = source;
  thread->site = site;
  if ((mask >> thread->lane & 1) == 0)
    fail("lane %u is not in its own mask %08x at %s:%d", thread->lane, mask, site.file, site.line);
  if (const unsigned gone = mask & ~warp.live; gone != 0) {
    fail("the mask %08x at %s:%d names lanes %08x that %s", mask, site.file, site.line, gone,
         (gone & ~warp.existing) != 0 ? "the block does not have" : "have returned");
  }
  // A shuffle or a vote orders no memory.
  if (operation == WarpOperation::sync) happens_before(&warp);
  thread->state = ThreadState::in_warp_operation;
  warp.waiting |= 1u << thread->lane;
  if ((warp.waiting & mask) == mask) {
    check_lanes(*thread, lanes);
    warp.waiting &= ~mask;
    for (unsigned left = mask; left != 0; left &= left - 1) {
      Thread* lane = &lanes[__builtin_ctz(left)];
      lane->received = result(*lane, lanes);
      make_ready(lane);
    }
  }
  wait_for_turn();
  if (operation == WarpOperation::sync) happens_after(&warp);
  return thread->received;
}

void memory_fence() {
  // Atomics are relaxed, so ThreadSanitizer sees order between blocks only where both sides have a fence.
  static char fence;
  happens_before(&fence);
  happens_after(&fence);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void trap(Site site) { fail("__trap at %s:%d", site.file, site.line); }

}  // namespace gru4rec::emulator
