#include "emulator/scheduler.h"

#include <unistd.h>
#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "emulator/device_memory.h"
#include "emulator/options.h"
#include "emulator/report.h"
#include "emulator/sanitizers.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace gru4rec::emulator {

DeviceThread* current_thread = nullptr;
const Kernel* running_kernel = nullptr;
Scheduler& scheduler = *new Scheduler;

namespace {

constexpr size_t kThreadsInFlight = 4096;
/// Turns given away for nothing by threads that spin, after which nothing will change any more.
constexpr int64_t kSpins = 4'000'000;

/// Takes the first thread that is ready, by rank.
Thread* take_first() {
  Scheduler& s = scheduler;
  for (size_t word = s.first_ready; word < s.ready.size(); ++word) {
    const uint64_t bits = s.ready[word];
    if (bits == 0) continue;
    s.first_ready = word;
    s.ready[word] = bits & (bits - 1);
    return &s.threads[s.order[word * 64 + static_cast<size_t>(__builtin_ctzll(bits))]];
  }
  s.first_ready = s.ready.size();
  return nullptr;
}

/// Takes a thread that is ready: the first one at or behind a random rank, else the first one.
Thread* take_any() {
  Scheduler& s = scheduler;
  const size_t start = random_below(s.ready.size() * 64);
  uint64_t bits = s.ready[start / 64] & ~uint64_t{0} << start % 64;
  for (size_t word = start / 64; word < s.ready.size();) {
    if (bits != 0) {
      s.ready[word] &= ~(bits & -bits);
      return &s.threads[s.order[word * 64 + static_cast<size_t>(__builtin_ctzll(bits))]];
    }
    if (++word < s.ready.size()) bits = s.ready[word];
  }
  return take_first();
}

Thread* take_next() { return scheduler.policy == Schedule::uniform ? take_any() : take_first(); }

[[noreturn]] void fail_in_deadlock() {
  // Waiting threads, grouped by what they wait for.
  struct Group {
    int count = 0;
    unsigned first = 0;
  };
  std::map<std::string, Group> groups;
  for (const Thread& thread : scheduler.threads) {
    if (thread.state == ThreadState::done) continue;
    char text[512];
    if (thread.state == ThreadState::at_barrier) {
      std::snprintf(text, sizeof(text), "__syncthreads at %s:%d", thread.site.file, thread.site.line);
    } else {
      std::snprintf(text, sizeof(text), "warp operation at %s:%d, mask %08x", thread.site.file, thread.site.line,
                    thread.mask);
    }
    Group& group = groups[text];
    if (group.count++ == 0) group.first = static_cast<unsigned>(&thread - thread.block->threads);
  }
  std::string waiting;
  for (const auto& [text, group] : groups) {
    waiting += "\n  " + std::to_string(group.count) + " threads, the first is number " + std::to_string(group.first) +
               ": " + text;
  }
  fail("deadlock: every thread that has not returned waits%s", waiting.c_str());
}

void set_current(Thread* thread) {
  if (current_thread == nullptr || current_thread->block != thread->block) blockIdx = thread->block->index;
  current_thread = thread;
  threadIdx = thread->index;
}

void run_threads();

Fiber* fiber_of(Thread* thread) {
  if (thread->fiber == nullptr) thread->fiber = take_fiber(run_threads);
  return thread->fiber;
}

void run(Thread* thread) {
  Fiber* fiber = fiber_of(thread);
  set_current(thread);
  switch_to(fiber);
}

/// The current thread returns from the kernel.
void end_thread() {
  Thread* thread = running_thread();
  Block& block = *thread->block;
  Warp& warp = block.warps[thread->warp];
  thread->state = ThreadState::done;
  thread->fiber = nullptr;
  --block.live;
  --scheduler.live;
  warp.live &= ~(1u << thread->lane);
  happens_before(&scheduler.kernel_end);
  if (block.arrived > 0) {
    fail("a thread returns while %u of its block wait at the __syncthreads at %s:%d", block.arrived, block.site.file,
         block.site.line);
  }
  for (unsigned lanes = warp.waiting; lanes != 0; lanes &= lanes - 1) {
    const Thread& other = block.threads[thread->warp * warpSize + static_cast<unsigned>(__builtin_ctz(lanes))];
    if ((other.mask >> thread->lane & 1) != 0) {
      fail("lane %u returns while lane %u waits for it in the warp operation at %s:%d, mask %08x", thread->lane,
           other.lane, other.site.file, other.site.line, other.mask);
    }
  }
}

/// What a fiber does: threads that have not started, one after the other, as long as it is the turn of such.
void run_threads() {
  fiber_started();
  for (;;) {
    happens_after(&scheduler.kernel_start);
    running_kernel->body();
    end_thread();
    Thread* next = take_next();
    if (next == nullptr) {
      current_thread = nullptr;
      leave_for(&host_fiber);
    }
    if (next->fiber != nullptr) {
      set_current(next);
      leave_for(next->fiber);
    }
    next->fiber = current_fiber;
    set_current(next);
  }
}

/// Fills `order` for the policy of this set of blocks: ranks 0 to count - 1.
void rank_threads(size_t count) {
  std::vector<uint32_t>& order = scheduler.order;
  order.resize(count);
  for (size_t i = 0; i < count; ++i) order[i] = static_cast<uint32_t>(i);
  if (scheduler.policy == Schedule::reverse) {
    std::reverse(order.begin(), order.end());
  } else if (scheduler.policy == Schedule::random) {
    // Whole warps change places, then the lanes inside each. A last warp that is not full keeps its place.
    const size_t warps = count / warpSize;
    for (size_t w = warps; w > 1; --w) {
      const size_t other = random_below(w);
      if (other != w - 1)
        std::swap_ranges(order.begin() + static_cast<ptrdiff_t>((w - 1) * warpSize),
                         order.begin() + static_cast<ptrdiff_t>(w * warpSize),
                         order.begin() + static_cast<ptrdiff_t>(other * warpSize));
    }
    for (size_t w = 0; w < warps; ++w)
      for (size_t lane = warpSize; lane > 1; --lane)
        std::swap(order[w * warpSize + lane - 1], order[w * warpSize + random_below(lane)]);
  }
  for (size_t rank = 0; rank < count; ++rank) scheduler.threads[order[rank]].rank = static_cast<uint32_t>(rank);
}

/// What stays the same for all blocks of a launch.
void lay_out_threads(const Kernel& kernel, size_t blocks, unsigned block_size) {
  scheduler.threads.resize(blocks * block_size);
  scheduler.blocks.resize(blocks);
  for (size_t b = 0; b < blocks; ++b) {
    Block& block = scheduler.blocks[b];
    block.size = block_size;
    block.threads = &scheduler.threads[b * block_size];
    block.warps.resize((block_size + warpSize - 1) / warpSize);
    uint3 index = {0, 0, 0};
    for (unsigned i = 0; i < block_size; ++i) {
      Thread& thread = block.threads[i];
      thread.index = index;
      thread.lane = i % warpSize;
      thread.warp = i / warpSize;
      thread.block = &block;
      if (++index.x < kernel.block.x) continue;
      index.x = 0;
      if (++index.y < kernel.block.y) continue;
      index.y = 0;
      ++index.z;
    }
  }
}

void start_block(const Kernel& kernel, uint64_t number, Block* block) {
  block->index = {static_cast<unsigned>(number % kernel.grid.x),
                  static_cast<unsigned>(number / kernel.grid.x % kernel.grid.y),
                  static_cast<unsigned>(number / kernel.grid.x / kernel.grid.y)};
  block->live = block->size;
  block->arrived = 0;
  for (size_t w = 0; w < block->warps.size(); ++w) {
    const unsigned lanes = std::min<unsigned>(warpSize, block->size - static_cast<unsigned>(w) * warpSize);
    const unsigned mask = static_cast<unsigned>((uint64_t{1} << lanes) - 1);
    block->warps[w] = {mask, mask, 0};
  }
  block->shared.start(kernel.shared_bytes);
}

/// Runs the first `count` blocks in flight to their end.
void run_blocks(size_t count) {
  const size_t threads = count * scheduler.blocks[0].size;
  rank_threads(threads);
  scheduler.live = threads;
  scheduler.ready.assign((threads + 63) / 64, ~uint64_t{0});
  scheduler.first_ready = 0;
  if (threads % 64 != 0) scheduler.ready.back() = (uint64_t{1} << threads % 64) - 1;
  for (size_t i = 0; i < threads; ++i) {
    scheduler.threads[i].state = ThreadState::ready;
    // For ThreadSanitizer no two threads may share a fiber: they would seem to run one after the other.
    scheduler.threads[i].fiber = kThreadSanitizer ? take_fiber(run_threads) : nullptr;
  }
  happens_before(&scheduler.kernel_start);
  while (scheduler.live > 0) {
    Thread* next = take_next();
    if (next == nullptr) fail_in_deadlock();
    run(next);
  }
  current_thread = nullptr;
  happens_after(&scheduler.kernel_end);
  for (size_t b = 0; b < count; ++b) scheduler.blocks[b].shared.check(scheduler.blocks[b].index);
}

Schedule policy_of_set() {
  constexpr Schedule kPolicies[] = {Schedule::forward, Schedule::reverse, Schedule::random, Schedule::uniform};
  return options().schedule == Schedule::mix ? kPolicies[random_below(4)] : options().schedule;
}

size_t blocks_in_flight(uint64_t blocks, unsigned block_size) {
  const bool fixed = options().schedule == Schedule::forward || options().schedule == Schedule::reverse;
  const uint64_t wanted = options().resident > 0 ? static_cast<uint64_t>(options().resident)
                          : fixed                ? 1
                                                 : 1 + random_below(4);
  return std::max<size_t>(1, std::min<uint64_t>({wanted, blocks, kThreadsInFlight / block_size}));
}

/// The numbers of the blocks in the order in which they run.
std::vector<uint64_t> order_of_blocks(uint64_t count) {
  std::vector<uint64_t> order(count);
  for (uint64_t i = 0; i < count; ++i) order[i] = i;
  if (options().schedule == Schedule::reverse) {
    std::reverse(order.begin(), order.end());
  } else if (options().schedule != Schedule::forward) {
    for (uint64_t i = count; i > 1; --i) std::swap(order[i - 1], order[random_below(i)]);
  }
  return order;
}

}  // namespace

void wait_for_turn() {
  scheduler.spins = 0;
  Thread* next = take_next();
  if (next == nullptr) fail_in_deadlock();
  if (next != current_thread) run(next);
}

namespace {

void switch_thread() {
  Thread* thread = running_thread();
  Thread* next = take_any();
  if (next == nullptr) return;
  make_ready(thread);
  run(next);
}

}  // namespace

void may_switch() {
  if (scheduler.policy == Schedule::uniform && random_below(8) == 0) switch_thread();
}

void must_switch() {
  if (++scheduler.spins > kSpins)
    fail("a thread spins: %lld turns were given away and nothing has changed", static_cast<long long>(kSpins));
  switch_thread();
}

void run_kernel(const Kernel& kernel) {
  const uint64_t blocks = uint64_t{kernel.grid.x} * kernel.grid.y * kernel.grid.z;
  const unsigned block_size = kernel.block.x * kernel.block.y * kernel.block.z;
  running_kernel = &kernel;
  blockDim = kernel.block;
  gridDim = kernel.grid;
  adopt_host_thread();
  const size_t in_flight = blocks_in_flight(blocks, block_size);
  lay_out_threads(kernel, in_flight, block_size);
  const std::vector<uint64_t> order = order_of_blocks(blocks);
  for (uint64_t first = 0; first < blocks; first += in_flight) {
    const size_t count = std::min<uint64_t>(in_flight, blocks - first);
    scheduler.policy = policy_of_set();
    scheduler.spins = 0;
    for (size_t b = 0; b < count; ++b) start_block(kernel, order[first + b], &scheduler.blocks[b]);
    run_blocks(count);
  }
  check_zones("the kernel");
  running_kernel = nullptr;
}

}  // namespace gru4rec::emulator
