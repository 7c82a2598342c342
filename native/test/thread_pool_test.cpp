#include "backends/cpu/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

#include "check.h"

namespace gru4rec::cpu {

namespace {

constexpr int kThreads[] = {1, 2, 5};

/// Runs `tasks` tasks and checks that each ran once, on a thread of the pool that did nothing else at that time.
void check_run(ThreadPool& pool, int64_t tasks) {
  std::vector<std::atomic<int>> runs(static_cast<size_t>(tasks));
  std::vector<std::atomic<int>> busy(static_cast<size_t>(pool.threads()));
  std::atomic<bool> fine{true};
  for (std::atomic<int>& count : runs) count = 0;
  for (std::atomic<int>& count : busy) count = 0;
  pool.run(tasks, [&](int64_t task, int thread) {
    if (task < 0 || task >= tasks || thread < 0 || thread >= pool.threads()) {
      fine = false;
      return;
    }
    if (busy[static_cast<size_t>(thread)].fetch_add(1) != 0) fine = false;
    runs[static_cast<size_t>(task)].fetch_add(1);
    busy[static_cast<size_t>(thread)].fetch_sub(1);
  });
  CHECK(fine.load());
  for (const std::atomic<int>& count : runs) CHECK_EQUAL(1, count.load());
}

}  // namespace

TEST_CASE("thread pool: every task runs once, whatever the numbers of tasks and threads") {
  for (const int threads : kThreads) {
    const test::Context context("threads " + std::to_string(threads));
    ThreadPool pool(threads);
    CHECK_EQUAL(threads, pool.threads());
    for (const int64_t tasks : {0, 1, 2, 3, 31, 33, 257, 1000}) check_run(pool, tasks);
  }
}

TEST_CASE("thread pool: many small runs one after the other") {
  for (const int threads : kThreads) {
    const test::Context context("threads " + std::to_string(threads));
    ThreadPool pool(threads);
    // What tasks write without atomics is there for the caller and for the tasks of the next run.
    std::vector<int64_t> values(7, 0);
    constexpr int64_t kRuns = 20000;
    for (int64_t run = 0; run < kRuns; ++run) {
      const auto tasks = static_cast<int64_t>(1 + run % static_cast<int64_t>(values.size()));
      pool.run(tasks, [&](int64_t task, int) { values[static_cast<size_t>(task)] += run; });
    }
    for (size_t task = 0; task < values.size(); ++task) {
      int64_t expected = 0;
      for (int64_t run = 0; run < kRuns; ++run) {
        if (static_cast<int64_t>(task) <= run % static_cast<int64_t>(values.size())) expected += run;
      }
      CHECK_EQUAL(expected, values[task]);
    }
  }
}

TEST_CASE("thread pool: runs between which the threads fall asleep") {
  for (const int threads : kThreads) {
    ThreadPool pool(threads);
    for (int run = 0; run < 20; ++run) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      check_run(pool, 9);
    }
  }
}

TEST_CASE("thread pool: the caller sleeps through a long task of another thread") {
  ThreadPool pool(2);
  std::atomic<int> done{0};
  pool.run(2, [&](int64_t, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ++done;
  });
  CHECK_EQUAL(2, done.load());
}

TEST_CASE("thread pool: as many tasks as threads are under way at once") {
  for (const int threads : kThreads) {
    const test::Context context("threads " + std::to_string(threads));
    ThreadPool pool(threads);
    std::atomic<int> arrived{0}, alone{0};
    pool.run(threads, [&](int64_t, int) {
      ++arrived;
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (arrived.load() < threads && std::chrono::steady_clock::now() < end) std::this_thread::yield();
      if (arrived.load() < threads) ++alone;
    });
    CHECK_EQUAL(0, alone.load());
  }
}

TEST_CASE("thread pool: starts and ends without work") {
  for (int i = 0; i < 50; ++i) {
    const ThreadPool pool(1 + i % 5);
    CHECK_EQUAL(1 + i % 5, pool.threads());
  }
}

TEST_CASE("thread pool: less than one thread asked for is one") { CHECK_EQUAL(1, ThreadPool(0).threads()); }

TEST_CASE("thread pool: two pools work at the same time") {
  const auto work = [](int64_t* sum) {
    ThreadPool pool(3);
    std::vector<int64_t> values(8, 0);
    for (int64_t run = 0; run < 2000; ++run) {
      pool.run(8, [&](int64_t task, int) { values[static_cast<size_t>(task)] += task; });
    }
    for (const int64_t value : values) *sum += value;
  };
  int64_t here = 0, there = 0;
  std::thread other([&] { work(&there); });
  work(&here);
  other.join();
  CHECK_EQUAL(2000 * 28, here);
  CHECK_EQUAL(2000 * 28, there);
}

TEST_CASE("available threads: at least one, and no more than the affinity mask has") {
  const int all = available_threads();
  CHECK(all >= 1);
#if defined(__linux__)
  cpu_set_t before, one;
  CPU_ZERO(&before);
  CPU_ZERO(&one);
  CHECK_EQUAL(0, sched_getaffinity(0, sizeof before, &before));
  CHECK(all <= CPU_COUNT(&before));
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  CHECK_EQUAL(0, sched_setaffinity(0, sizeof one, &one));
  CHECK_EQUAL(1, available_threads());
  CHECK_EQUAL(0, sched_setaffinity(0, sizeof before, &before));
#endif
}

}  // namespace gru4rec::cpu
