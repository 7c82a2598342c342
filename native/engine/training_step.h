#pragma once

#include "engine/backward_pass.h"
#include "engine/forward_pass.h"
#include "engine/optimiser_state.h"
#include "engine/parameters.h"
#include "engine/sample_store.h"
#include "engine/step_history.h"

namespace gru4rec {

/// What one step of a training works on.
struct StepInput {
  StepItems items;
  Span<const int32_t> source;  ///< [rows], see ScheduleStep
  uint64_t number = 0;         ///< of the step, for its random numbers
  /// Not null where the device follows a feed: `items` and `source` are the feed's, its place there takes the part of
  /// `number`, and some rows may not be active.
  const StepFeed* feed = nullptr;

  StepState* state() const { return feed != nullptr ? feed->state : nullptr; }
};

/// The computations of one training step, from the items to the updated parameters. All buffers are allocated here.
class TrainingStep {
 public:
  TrainingStep(Parameters& parameters, OptimiserState& optimiser, const TrainingSpec& spec, const SampleStore& samples);

  /// Forgets the sessions and the loss of the epoch before.
  void begin_epoch();
  /// Calls the operations of a step, which must have begun where it comes from a feed; it begins the next one then, and
  /// the arguments of its operations depend on the shape of `input` alone.
  void run(const StepInput& input);
  /// Loss of the epoch so far, in device memory.
  const LossTotals* totals() const { return totals_.data(); }

 private:
  /// The masks of a step.
  void update_dropout(const StepInput& input);

  Parameters& parameters_;
  Backend& backend_;
  TrainingSpec spec_;
  OptimiserState& optimiser_;
  const SampleStore& samples_;
  ForwardPass forward_;
  StepHistory history_;
  BackwardPass backward_;
  Array<float> scores_, row_losses_;
  Array<LossTotals> totals_;
  StepDropout dropout_;
};

}  // namespace gru4rec
