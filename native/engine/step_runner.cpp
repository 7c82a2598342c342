#include "engine/step_runner.h"

#include <algorithm>
#include <cmath>

namespace gru4rec {

namespace {

/// What a launch is to take: long beside what launching it costs the host, and little to wait for when a walk is
/// cancelled.
constexpr double kLaunchSeconds = 250e-6;
/// A longer launch has nothing to win, and its graph takes memory for every step.
constexpr double kMostSteps = 32;
/// Steps that decide. Fewer are the beginning of a walk, when steps are called one by one and recorded; where a chunk
/// never has so many, steps take so long that one is enough for a launch.
constexpr int64_t kEnough = 16;

}  // namespace

void StepRunner::run(int64_t steps) {
  for (; steps > 0 && (!warm_ || per_launch_ == 0); --steps) {
    step_();
    warm_ = true;
  }
  for (; steps >= per_launch_ && per_launch_ > 1; steps -= per_launch_) replay(many_, per_launch_);
  for (; steps > 0; --steps) replay(one_, 1);
}

void StepRunner::measured(int64_t steps, double seconds) {
  if (chosen_ || steps < kEnough) return;
  per_launch_ = choose_steps_per_launch(seconds / static_cast<double>(steps));
  chosen_ = true;
}

void StepRunner::replay(std::unique_ptr<Recording>& recording, int64_t steps) {
  if (!recording) {
    recording = backend_.record([&] {
      for (int64_t s = 0; s < steps; ++s) step_();
    });
  }
  recording->replay();
}

int64_t choose_steps_per_launch(double seconds) {
  // A power of two: what two walks measure seldom lies on two sides of a bound.
  const double doublings = std::round(std::log2(kLaunchSeconds / std::max(seconds, 1e-9)));
  return static_cast<int64_t>(std::clamp(std::exp2(doublings), 1.0, kMostSteps));
}

}  // namespace gru4rec
