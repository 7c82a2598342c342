#pragma once

#include <cstdint>

#include "backend/backend.h"
#include "backends/cuda/scratch.h"
#include "backends/cuda/stream.h"
#include "backends/cuda_library/workspace.h"

namespace gru4rec::cuda {

/// Copies between ordinary host memory and a device, through two pinned buffers: while one is on its way, the other is
/// filled or emptied.
class Staging {
 public:
  Staging() = default;
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// Returns as soon as `host` has been read; the copy itself runs in the order of `stream`.
  void upload(const void* host, int64_t bytes, void* device, cudaStream_t stream);
  /// Waits for `stream` and the copy.
  void download(const void* device, int64_t bytes, void* host, cudaStream_t stream);

 private:
  static constexpr int64_t kBytes = cuda_library::kStagingBytes;

  /// A pinned buffer and the end of the last copy that used it.
  struct Buffer {
    Buffer();
    ~Buffer();
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    Event done;
    char* const data;  ///< [kBytes], owned
  };

  /// The buffer whose turn it is, free to be used.
  Buffer& next();

  Buffer buffers_[cuda_library::kStagingBuffers];
  int turn_ = 0;
};

/// What a device has computed, read without waiting for what it computes next. `finish` touches its place alone.
class Reads {
 public:
  Reads() = default;
  Reads(const Reads&) = delete;
  Reads& operator=(const Reads&) = delete;

  void start(int place, const void* device, int64_t bytes, cudaStream_t stream);
  void finish(int place, int64_t bytes, void* host);

 private:
  struct Place {
    /// Waited for as long as a chunk of steps takes: a thread that spins would keep a core busy all that time, of a
    /// process that may be serving, and nobody is in a hurry, as the device has the next chunk.
    Event done{Wait::sleep};
    PinnedScratch data;
    bool under_way = false;
  };
  Place places_[kReadPlaces];
};

}  // namespace gru4rec::cuda
