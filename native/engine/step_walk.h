#pragma once

#include <functional>

#include "core/schedule.h"
#include "engine/cancellation.h"
#include "engine/step_feeder.h"
#include "engine/step_runner.h"

namespace gru4rec {

/// What is read of each chunk of a walk. `place` is that of Backend::start_read.
struct ChunkReader {
  /// Starts reading, when the steps of `chunk` have been called.
  std::function<void(const StepFeeder::Chunk& chunk, int place)> start;
  /// Finishes reading, when the steps of the chunk behind it have been called, too.
  std::function<void(const StepFeeder::Chunk& chunk, int place)> finish;
};

/// Lets a device take the steps of `schedule` by itself, in chunks of about 25 ms. The host is one chunk ahead of the
/// one that it reads, so that the device never waits for it, and is awake once a chunk.
/// Throws ErrorCode::aborted between chunks, when the device still computes those that were called.
void walk(Schedule& schedule, StepFeeder& feeder, StepRunner& runner, const Cancellation& cancellation,
          const ChunkReader& reader);

}  // namespace gru4rec
