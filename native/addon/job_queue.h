#pragma once

#include <napi.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <thread>

#include "addon/cancellation_wrap.h"
#include "core/error.h"
#include "engine/cancellation.h"

namespace gru4rec::addon {

/// Something to do on the event loop, and what does it there. The environment is null when it is being torn down.
using EventLoopCall = std::function<void(Napi::Env)>;
void run_on_event_loop(Napi::Env env, Napi::Function, std::nullptr_t*, EventLoopCall* call);
using EventLoop = Napi::TypedThreadSafeFunction<std::nullptr_t, EventLoopCall, run_on_event_loop>;

/// One call that settles a promise later: `work` runs on the queue's thread, `result` on the event loop.
struct Job {
  explicit Job(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}

  Napi::Promise::Deferred deferred;
  std::shared_ptr<Cancellation> cancellation;
  std::function<void(const std::shared_ptr<Job>& self)> work;
  std::function<Napi::Value(Napi::Env)> result;

  std::shared_ptr<Napi::FunctionReference> on_progress;  ///< the user's, or null

  Napi::ObjectReference owner;              ///< keeps the object that the job belongs to
  std::exception_ptr failure;               ///< thrown by `work`
  std::optional<Napi::Error> user_failure;  ///< thrown by `on_progress`, wins over `failure`
};

/// Runs the jobs of one model one after the other, on a thread of its own. All methods but `post` belong to the event
/// loop's thread. Safe to be destroyed at any time, the end of the process or of a worker thread included: jobs under
/// way are told to stop and waited for.
class JobQueue {
 public:
  explicit JobQueue(Napi::Env env);
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  /// Jobs that have not settled yet.
  bool busy() const { return unsettled_ > 0; }
  /// @param token  the user's handle for stopping this job, or null.
  Napi::Promise add(std::shared_ptr<Job> job, CancellationWrap* token);
  /// From the queue's thread: runs `call` on the event loop.
  void post(EventLoopCall call);
  /// Stops and waits for what is under way. Nothing settles any more.
  void close();

 private:
  static void close_at_exit(void* queue) { static_cast<JobQueue*>(queue)->close(); }
  void run();
  void settle(Napi::Env env, Job& job);
  void reject_if_waiting(const std::shared_ptr<Job>& job);

  Napi::Env env_;
  EventLoop event_loop_;
  std::thread thread_;
  int64_t unsettled_ = 0;
  bool closed_ = false;

  std::mutex mutex_;  ///< guards the members below
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> waiting_;
  std::shared_ptr<Job> current_;
  bool stopping_ = false;
};

/// A JavaScript error with a `code`.
Napi::Error make_error(Napi::Env env, const char* code, const std::string& message);
/// The JavaScript error of a C++ exception.
Napi::Error make_error(Napi::Env env, std::exception_ptr failure);

/// Runs `body` and turns the engine's exceptions into JavaScript's.
template <class F>
auto guarded(Napi::Env env, const F& body) {
  try {
    return body();
  } catch (const Error&) {
    throw make_error(env, std::current_exception());
  } catch (const std::bad_alloc&) {
    throw make_error(env, std::current_exception());
  }
}

}  // namespace gru4rec::addon
