// What a parallel run costs, and what it costs after a serial part that threads may have slept through.
//
//   bench_thread_pool [threads]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "backends/cpu/thread_pool.h"

namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

void keep_busy(double microseconds) {
  const auto start = Clock::now();
  while (Microseconds(Clock::now() - start).count() < microseconds) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kTasksPerThread = 4, kRuns = 4000;
  constexpr double kTaskMicroseconds = 5.0;
  const int threads = argc > 1 ? std::atoi(argv[1]) : gru4rec::cpu::available_threads();
  gru4rec::cpu::ThreadPool pool(threads);
  std::printf("threads %d, ideal run %.1f us\n", threads, kTasksPerThread * kTaskMicroseconds);
  std::printf("%14s %10s %10s\n", "serial part us", "median us", "90 % us");
  for (const double serial : {0.0, 10.0, 20.0, 40.0, 80.0, 150.0, 1000.0}) {
    std::vector<double> times;
    for (int run = 0; run < kRuns; ++run) {
      keep_busy(serial);
      const auto start = Clock::now();
      pool.run(threads * kTasksPerThread, [](int64_t, int) { keep_busy(kTaskMicroseconds); });
      times.push_back(Microseconds(Clock::now() - start).count());
    }
    std::sort(times.begin(), times.end());
    std::printf("%14.0f %10.1f %10.1f\n", serial, times[kRuns / 2], times[kRuns * 9 / 10]);
  }
}
