#pragma once

#include <atomic>

#include "core/error.h"

namespace gru4rec {

/// A request to stop, made on one thread and seen on another. Checked between steps.
class Cancellation {
 public:
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  /// Throws ErrorCode::aborted once cancelled.
  void check() const {
    if (cancelled()) throw Error(ErrorCode::aborted, "The operation was aborted");
  }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace gru4rec
