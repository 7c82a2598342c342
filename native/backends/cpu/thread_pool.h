#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace gru4rec::cpu {

/// A non-owning reference to a callable `void(int64_t task, int thread)`: nothing is allocated to start work.
class TaskRef {
 public:
  template <class F>
  TaskRef(const F& f)  // NOLINT(google-explicit-constructor)
      : object_(&f),
        call_([](const void* object, int64_t task, int thread) { (*static_cast<const F*>(object))(task, thread); }) {}
  void operator()(int64_t task, int thread) const { call_(object_, task, thread); }

 private:
  const void* object_;
  void (*call_)(const void*, int64_t, int);
};

/// The threads of one CPU back end. The caller of `run` is thread 0 and works too. Idle threads spin for a
/// moment (100 microseconds, where every thread has a CPU of its own) and then sleep.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }
  /// Calls task(t, thread) once for every t in [0, tasks) and returns when all are done. Tasks are taken in ascending
  /// order by whichever thread is free, so results must not depend on the thread. Not re-entrant. Tasks do not throw.
  void run(int64_t tasks, TaskRef task);

 private:
  struct State;
  int threads_;
  std::unique_ptr<State> state_;
};

/// CPUs that this process may use: the affinity mask, bounded by the cgroup's quota (v2, then v1), at least 1.
int available_threads();

}  // namespace gru4rec::cpu
