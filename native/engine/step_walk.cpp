#include "engine/step_walk.h"

#include <algorithm>
#include <chrono>

namespace gru4rec {

namespace {

/// How many steps go up at a time.
class ChunkSize {
 public:
  ChunkSize(int64_t most, int64_t per_launch) : most_(most), per_launch_(per_launch), steps_(std::min(most, kFirst)) {}

  /// Whole launches, where it is more than one.
  int64_t steps() const { return steps_ > per_launch_ ? steps_ - steps_ % per_launch_ : steps_; }
  /// `count` steps have been computed since the last call.
  void computed(int64_t count) {
    const Clock::time_point now = Clock::now();
    const double each = std::chrono::duration<double>(now - last_).count() / static_cast<double>(count);
    last_ = now;
    const double wanted = std::min(kSeconds / std::max(each, 1e-9), static_cast<double>(2 * steps_));
    steps_ = std::clamp<int64_t>(static_cast<int64_t>(wanted), 1, most_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int64_t kFirst = 1;  ///< nobody knows yet how long a step takes
  static constexpr double kSeconds = 0.025;

  int64_t most_, per_launch_, steps_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace

void walk(Schedule& schedule, StepFeeder& feeder, StepRunner& runner, const Cancellation& cancellation,
          const ChunkReader& reader) {
  ChunkSize size(feeder.max_chunk(), runner.per_launch());
  StepFeeder::Chunk before;
  for (int place = 0;; place = 1 - place) {
    cancellation.check();
    const StepFeeder::Chunk chunk = feeder.feed(schedule, size.steps());
    runner.run(chunk.steps);
    if (chunk.steps > 0) reader.start(chunk, place);
    if (before.steps > 0) {
      reader.finish(before, 1 - place);
      size.computed(before.steps);
    }
    if (chunk.steps == 0) return;
    before = chunk;
  }
}

}  // namespace gru4rec
