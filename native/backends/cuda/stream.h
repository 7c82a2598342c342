#pragma once

#include "backends/cuda/runtime.h"

namespace gru4rec::cuda {

/// A stream that does not wait for the default stream, owned. Made on the current device.
class Stream {
 public:
  Stream() { GRU_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { cudaStreamDestroy(stream_); }

  operator cudaStream_t() const { return stream_; }  // NOLINT(google-explicit-constructor): it stands for the stream

 private:
  cudaStream_t stream_ = nullptr;
};

/// How a thread waits for an event: it looks again and again, which ends soonest, or sleeps and leaves its core to
/// others.
enum class Wait { spin, sleep };

/// A place in a stream to wait for, owned. Waiting before the first record returns at once.
class Event {
 public:
  explicit Event(Wait wait = Wait::spin) {
    const unsigned blocking = wait == Wait::sleep ? cudaEventBlockingSync : 0;
    GRU_CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming | blocking));
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { cudaEventDestroy(event_); }

  /// What is enqueued on `stream` from here on waits for what was recorded.
  void hold(cudaStream_t stream) { GRU_CHECK(cudaStreamWaitEvent(stream, event_, 0)); }
  void record(cudaStream_t stream) { GRU_CHECK(cudaEventRecord(event_, stream)); }
  void synchronize() { GRU_CHECK(cudaEventSynchronize(event_)); }

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace gru4rec::cuda
