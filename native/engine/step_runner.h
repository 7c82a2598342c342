#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "backend/backend.h"

namespace gru4rec {

/// Runs a step over and over on a device that records. The first time its operations are called one by one, so that
/// all work space is there; then they are recorded, once for one step and once for those of a launch, and replayed.
class StepRunner {
 public:
  /// @param step  calls the operations of a step, always with the same arguments
  /// @param per_launch  0 = no recording, none = one until steps have been measured
  StepRunner(Backend& backend, std::function<void()> step, std::optional<int64_t> per_launch)
      : backend_(backend),
        step_(std::move(step)),
        per_launch_(per_launch.value_or(1)),
        chosen_(per_launch.has_value()) {}

  void run(int64_t steps);
  /// Says that `steps` steps took so long. The first measurement of enough steps decides how many are launched at a
  /// time from then on, where that was left open.
  void measured(int64_t steps, double seconds);
  /// At least 1.
  int64_t per_launch() const { return per_launch_ > 0 ? per_launch_ : 1; }

 private:
  /// Replays `steps` steps, from a recording that is made where there is none yet.
  void replay(std::unique_ptr<Recording>& recording, int64_t steps);

  Backend& backend_;
  std::function<void()> step_;
  int64_t per_launch_;
  bool chosen_;  ///< per_launch_ stays as it is
  bool warm_ = false;
  std::unique_ptr<Recording> one_, many_;
};

/// How many steps that take `seconds` each are best launched at a time.
int64_t choose_steps_per_launch(double seconds);

}  // namespace gru4rec
