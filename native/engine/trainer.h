#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "core/schedule.h"
#include "engine/cancellation.h"
#include "engine/session_file/session_file.h"
#include "engine/step_feeder.h"
#include "engine/training_step.h"

namespace gru4rec {

/// How far an epoch is.
struct Progress {
  int64_t steps = 0;
  int64_t events = 0;        ///< pairs of input and target so far
  int64_t total_events = 0;  ///< pairs in the sessions of the epoch
  double loss = 0.0;         ///< mean of the epoch so far
  double seconds = 0.0;      ///< since the epoch began
};

/// What was trained before, so that random numbers go on where they were.
struct TrainingPosition {
  uint64_t steps = 0;
  uint64_t epochs = 0;
};

/// Trains one model, epoch after epoch. Everything is allocated here, nothing in a step. Parameters and optimiser state
/// must outlive it.
class Trainer {
 public:
  /// @param support  [items] training events of each item, at least 1; empty = for an estimate of the memory.
  /// Throws ErrorCode::config for a bad `spec`, ErrorCode::device where it asks for a precision that is not there,
  /// ErrorCode::out_of_memory.
  Trainer(Parameters& parameters, OptimiserState& optimiser, const TrainingSpec& spec, Span<const uint32_t> support,
          const TrainingPosition& position = {});

  /// The step size of the epochs to come.
  void set_learning_rate(float learning_rate);

  /// One epoch over `order` (session numbers). `report` is called at most ten times a second, on this thread.
  /// Throws ErrorCode::aborted, and ErrorCode::not_finite naming epoch and step of the first loss that is not finite.
  Progress epoch(const Sessions& sessions, Span<const int32_t> order, const Cancellation& cancellation,
                 const std::function<void(const Progress&)>& report);
  /// The same with sessions that are read from a file meanwhile: the same bits. Throws ErrorCode::file and
  /// ErrorCode::data as well.
  Progress epoch(const SessionFile& sessions, Span<const int32_t> order, const Cancellation& cancellation,
                 const std::function<void(const Progress&)>& report);

 private:
  /// An epoch under way, and when it is reported next.
  struct Epoch {
    Schedule schedule;
    const Cancellation& cancellation;
    const std::function<void(const Progress&)>& report;
    std::chrono::steady_clock::time_point start, next_report;
    Progress progress;
  };

  /// `order`, or that of the next epoch where it is random.
  Span<const int32_t> order_of_epoch(Span<const int32_t> order);
  /// One epoch over `sessions`, with so many pairs in all.
  Progress train(SessionSource& sessions, int64_t pairs, const Cancellation& cancellation,
                 const std::function<void(const Progress&)>& report);
  /// Calls each step by itself.
  void run_steps(Epoch& epoch);
  /// Lets the device take the steps by itself.
  void feed_steps(Epoch& epoch);
  void step(const ScheduleStep& step);
  /// Throws ErrorCode::not_finite.
  void note_loss(Epoch& epoch, const LossTotals& totals);
  void report_when_due(Epoch& epoch);
  void check_finite(const LossTotals& totals) const;

  Backend& backend_;
  TrainingSpec spec_;
  Precision precision_;
  OptimiserState& optimiser_;
  SampleStore samples_;
  TrainingStep training_step_;
  std::optional<StepFeeder> feeder_;  ///< where the back end records
  Array<int32_t> source_;             ///< [batch], where it does not
  std::vector<int32_t> shuffled_;
  uint64_t step_;   ///< of all epochs
  uint64_t epoch_;  ///< epochs begun
};

}  // namespace gru4rec
