#pragma once

#include <functional>
#include <memory>

#include "backend/backend.h"

namespace gru4rec {

/// Runs a step over and over on a device that records. The first time its operations are called one by one, so that
/// all work space is there; then they are recorded, once for one step and once for `per_launch` of them, and replayed.
class StepRunner {
 public:
  /// @param step  calls the operations of a step, always with the same arguments
  /// @param per_launch  0 = no recording
  StepRunner(Backend& backend, std::function<void()> step, int64_t per_launch)
      : backend_(backend), step_(std::move(step)), per_launch_(per_launch) {}

  void run(int64_t steps);
  /// At least 1.
  int64_t per_launch() const { return per_launch_ > 0 ? per_launch_ : 1; }

 private:
  /// Replays `steps` steps, from a recording that is made where there is none yet.
  void replay(std::unique_ptr<Recording>& recording, int64_t steps);

  Backend& backend_;
  std::function<void()> step_;
  int64_t per_launch_;
  bool warm_ = false;
  std::unique_ptr<Recording> one_, many_;
};

}  // namespace gru4rec
