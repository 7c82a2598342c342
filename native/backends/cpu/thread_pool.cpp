#include "backends/cpu/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "backends/cpu/cgroup.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace gru4rec::cpu {

namespace {

/// Longer than the serial parts between two parallel ones of a training step: waking a sleeper costs 20 microseconds on
/// a virtual machine (bench_thread_pool).
constexpr std::chrono::microseconds kSpin{100};
/// Pauses between two looks at the clock, which is slower than a pause.
constexpr int kPausesPerLook = 16;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Spins until `ready`, at most kSpin. Returns what `ready` said last.
template <class Ready>
bool spin_until(const Ready& ready) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < kPausesPerLook; ++i) {
      if (ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return ready();
}

}  // namespace

/// A run is published by storing its number of tasks in `remaining`; whoever lowers that by one owns the next task. A
/// thread reads the run's fields only while it owns a task of it, and the run does not end before all its tasks are
/// done. So a late thread can do no harm, and `run` waits for tasks, never for threads that still sleep.
struct ThreadPool::State {
  alignas(64) std::atomic<int64_t> remaining{0};
  alignas(64) std::atomic<int64_t> unfinished{0};
  alignas(64) const TaskRef* task = nullptr;
  int64_t tasks = 0;

  std::mutex mutex;
  std::condition_variable work;
  std::condition_variable done;
  std::atomic<int> sleepers{0};  ///< threads that wait on `work`
  std::atomic<bool> caller_waits{false};
  std::atomic<bool> stop{false};
  /// Spinning helps only where every thread has a CPU of its own.
  bool may_spin = false;
  std::vector<std::thread> workers;

  /// Takes and does one task, if there is one.
  bool work_once(int thread) {
    int64_t left = remaining.load(std::memory_order_relaxed);
    do {
      if (left <= 0) return false;
    } while (!remaining.compare_exchange_weak(left, left - 1, std::memory_order_acquire, std::memory_order_relaxed));
    (*task)(tasks - left, thread);
    // seq_cst, as in `wait`: either the caller sees the last task finished or this thread sees that it waits.
    if (unfinished.fetch_sub(1) == 1 && caller_waits.load()) {
      std::lock_guard<std::mutex> lock(mutex);
      done.notify_one();
    }
    return true;
  }

  void serve(int thread) {
    const auto has_work = [&] { return remaining.load() > 0 || stop.load(); };
    while (!stop.load(std::memory_order_relaxed)) {
      if (work_once(thread)) continue;
      if (may_spin && spin_until(has_work)) continue;
      std::unique_lock<std::mutex> lock(mutex);
      ++sleepers;
      work.wait(lock, has_work);
      --sleepers;
    }
  }

  void wait() {
    const auto all_done = [&] { return unfinished.load() == 0; };
    if (spin_until(all_done)) return;
    std::unique_lock<std::mutex> lock(mutex);
    caller_waits.store(true);
    done.wait(lock, all_done);
    caller_waits.store(false);
  }
};

ThreadPool::ThreadPool(int threads) : threads_(std::max(threads, 1)), state_(std::make_unique<State>()) {
  State* state = state_.get();
  state->may_spin = threads_ <= available_threads();
  for (int thread = 1; thread < threads_; ++thread) {
    state->workers.emplace_back([state, thread] { state->serve(thread); });
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->stop.store(true);
  }
  state_->work.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

void ThreadPool::run(int64_t tasks, TaskRef task) {
  if (threads_ == 1 || tasks <= 1) {
    for (int64_t t = 0; t < tasks; ++t) task(t, 0);
    return;
  }
  State& state = *state_;
  state.task = &task;
  state.tasks = tasks;
  state.unfinished.store(tasks, std::memory_order_relaxed);
  // seq_cst, as in `serve`: either this thread sees the sleeper or the sleeper sees the tasks.
  state.remaining.store(tasks);
  if (state.sleepers.load() > 0) {
    { std::lock_guard<std::mutex> lock(state.mutex); }
    if (tasks == 2) {
      state.work.notify_one();
    } else {
      state.work.notify_all();
    }
  }
  while (state.work_once(0)) {
  }
  state.wait();
}

namespace {

#if defined(__linux__)

int affinity_threads() {
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    const int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

/// CPUs that the quota of `group` allows; 0 = no limit.
double quota(const Cgroup& group) {
  double quota = 0.0, period = 0.0;
  if (group.version == 2) {
    std::ifstream file(group.folder + "/cpu.max");
    file >> quota >> period;  // "max 100000" is no limit, and no number
  } else {
    std::ifstream(group.folder + "/cpu.cfs_quota_us") >> quota;
    std::ifstream(group.folder + "/cpu.cfs_period_us") >> period;
  }
  return quota > 0.0 && period > 0.0 ? quota / period : 0.0;
}

double cgroup_threads(double threads) {
  for_each_cgroup("cpu", [&](const Cgroup& group) {
    if (const double limit = quota(group); limit > 0.0) threads = std::min(threads, limit);
  });
  return threads;
}

#endif

}  // namespace

int available_threads() {
#if defined(__linux__)
  return std::max(static_cast<int>(cgroup_threads(affinity_threads())), 1);
#else
  return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
#endif
}

}  // namespace gru4rec::cpu
