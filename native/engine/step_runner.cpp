#include "engine/step_runner.h"

namespace gru4rec {

void StepRunner::run(int64_t steps) {
  for (; steps > 0 && (!warm_ || per_launch_ == 0); --steps) {
    step_();
    warm_ = true;
  }
  for (; steps >= per_launch_ && per_launch_ > 1; steps -= per_launch_) replay(many_, per_launch_);
  for (; steps > 0; --steps) replay(one_, 1);
}

void StepRunner::replay(std::unique_ptr<Recording>& recording, int64_t steps) {
  if (!recording) {
    recording = backend_.record([&] {
      for (int64_t s = 0; s < steps; ++s) step_();
    });
  }
  recording->replay();
}

}  // namespace gru4rec
