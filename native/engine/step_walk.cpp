#include "engine/step_walk.h"

#include <algorithm>
#include <chrono>

namespace gru4rec {

namespace {

/// How many steps go up at a time.
class ChunkSize {
 public:
  explicit ChunkSize(int64_t most) : most_(most), steps_(std::min(most, kFirst)) {}

  /// Whole launches of `per_launch` steps, where it is more than one.
  int64_t steps(int64_t per_launch) const { return steps_ > per_launch ? steps_ - steps_ % per_launch : steps_; }
  /// `count` steps took so long.
  void measured(int64_t count, double seconds) {
    const double each = seconds / static_cast<double>(count);
    const double wanted = std::min(kSeconds / std::max(each, 1e-9), static_cast<double>(2 * steps_));
    steps_ = std::clamp<int64_t>(static_cast<int64_t>(wanted), 1, most_);
  }

 private:
  static constexpr int64_t kFirst = 1;  ///< nobody knows yet how long a step takes
  static constexpr double kSeconds = 0.025;

  int64_t most_, steps_;
};

using Clock = std::chrono::steady_clock;

/// Seconds since `last`, which becomes now.
double lap(Clock::time_point& last) {
  const Clock::time_point before = last;
  last = Clock::now();
  return std::chrono::duration<double>(last - before).count();
}

}  // namespace

void walk(Schedule& schedule, StepFeeder& feeder, StepRunner& runner, const Cancellation& cancellation,
          const ChunkReader& reader) {
  ChunkSize size(feeder.max_chunk());
  Clock::time_point last = Clock::now();
  StepFeeder::Chunk before;
  for (int place = 0;; place = 1 - place) {
    cancellation.check();
    const StepFeeder::Chunk chunk = feeder.feed(schedule, size.steps(runner.per_launch()));
    runner.run(chunk.steps);
    if (chunk.steps > 0) reader.start(chunk, place);
    if (before.steps > 0) {
      reader.finish(before, 1 - place);
      const double seconds = lap(last);
      size.measured(before.steps, seconds);
      runner.measured(before.steps, seconds);
    }
    if (chunk.steps == 0) return;
    before = chunk;
  }
}

}  // namespace gru4rec
