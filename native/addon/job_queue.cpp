#include "addon/job_queue.h"

#include <algorithm>
#include <new>
#include <utility>

namespace gru4rec::addon {

namespace {

const char* code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::argument:
      return "ERR_ARGUMENT";
    case ErrorCode::config:
      return "ERR_CONFIG";
    case ErrorCode::data:
      return "ERR_DATA";
    case ErrorCode::file:
      return "ERR_FILE";
    case ErrorCode::device:
      return "ERR_DEVICE";
    case ErrorCode::out_of_memory:
      return "ERR_OUT_OF_MEMORY";
    case ErrorCode::aborted:
      return "ERR_ABORTED";
    case ErrorCode::not_finite:
      return "ERR_NOT_FINITE";
  }
  return "ERR_ARGUMENT";
}

}  // namespace

Napi::Error make_error(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

Napi::Error make_error(Napi::Env env, std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return make_error(env, code_name(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return make_error(env, "ERR_OUT_OF_MEMORY",
                      "Expected enough memory for this model and data but the system gave none");
  } catch (const std::exception& error) {
    return Napi::Error::New(env, error.what());
  }
}

void run_on_event_loop(Napi::Env env, Napi::Function, std::nullptr_t*, EventLoopCall* call) {
  const std::unique_ptr<EventLoopCall> owned(call);
  if (static_cast<napi_env>(env) == nullptr) return;
  const Napi::HandleScope scope(env);
  try {
    (*owned)(env);
  } catch (const Napi::Error&) {
    // Only a worker thread that is being ended refuses to settle a promise, and nobody waits for its promises any more.
  }
}

JobQueue::JobQueue(Napi::Env env) : env_(env), event_loop_(EventLoop::New(env, "gru4rec", 0, 1)) {
  // Hooks run in reverse order, so this one comes before the thread-safe function's own and finds it alive.
  napi_add_env_cleanup_hook(env_, close_at_exit, this);
  event_loop_.Unref(env_);
}

JobQueue::~JobQueue() { close(); }

Napi::Promise JobQueue::add(std::shared_ptr<Job> job, CancellationWrap* token) {
  job->cancellation = token != nullptr ? token->cancellation() : std::make_shared<Cancellation>();
  if (token != nullptr) {
    token->on_cancel([this, weak = std::weak_ptr<Job>(job)] {
      if (const auto cancelled = weak.lock()) reject_if_waiting(cancelled);
    });
  }
  const Napi::Promise promise = job->deferred.Promise();
  if (unsettled_++ == 0) event_loop_.Ref(env_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(std::move(job));
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  wake_.notify_one();
  return promise;
}

void JobQueue::post(EventLoopCall call) {
  auto* heap = new EventLoopCall(std::move(call));
  if (event_loop_.NonBlockingCall(heap) != napi_ok) delete heap;
}

void JobQueue::run() {
  for (;;) {
    std::shared_ptr<Job> job;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      job = current_ = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      job->cancellation->check();
      job->work(job);
    } catch (...) {
      job->failure = std::current_exception();
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      current_.reset();
      if (stopping_) {
        // Its JavaScript handles must die on the event loop's thread, which is waiting in close().
        waiting_.push_front(std::move(job));
        return;
      }
    }
    post([this, job = std::move(job)](Napi::Env env) { settle(env, *job); });
  }
}

void JobQueue::settle(Napi::Env env, Job& job) {
  if (closed_) return;
  if (--unsettled_ == 0) event_loop_.Unref(env);
  if (job.user_failure) {
    job.deferred.Reject(job.user_failure->Value());
  } else if (job.failure) {
    job.deferred.Reject(make_error(env, job.failure).Value());
  } else {
    try {
      job.deferred.Resolve(job.result(env));
    } catch (const Napi::Error& error) {
      job.deferred.Reject(error.Value());
    }
  }
}

void JobQueue::reject_if_waiting(const std::shared_ptr<Job>& job) {
  if (closed_) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = std::find(waiting_.begin(), waiting_.end(), job);
    if (found == waiting_.end()) return;
    waiting_.erase(found);
  }
  job->failure = std::make_exception_ptr(Error(ErrorCode::aborted, "The operation was aborted"));
  settle(env_, *job);
}

void JobQueue::close() {
  if (closed_) return;
  closed_ = true;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    if (current_) current_->cancellation->cancel();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  waiting_.clear();
  napi_remove_env_cleanup_hook(env_, close_at_exit, this);
  event_loop_.Release();
}

}  // namespace gru4rec::addon
