#include "engine/trainer.h"

#include <algorithm>
#include <chrono>
#include <sstream>

#include "engine/step_runner.h"

namespace gru4rec {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kReportInterval{100};

/// The precision of training. One that was asked for and is not there is an error; only the default has a choice.
Precision choose_precision(Backend& backend, const TrainingSpec& spec) {
  if (!spec.precision) return backend.supports(Precision::tf32) ? Precision::tf32 : Precision::float32;
  if (backend.supports(*spec.precision)) return *spec.precision;
  std::string supported = "auto";
  for (const Precision precision : {Precision::float32, Precision::tf32, Precision::bf16})
    if (backend.supports(precision)) supported += std::string(", ") + name(precision);
  throw Error(ErrorCode::device, "Expected precision to be one of " + supported + " on " + backend.description() +
                                     " but received " + name(*spec.precision));
}

/// Has a back end multiply in `precision` while this lives, and in float32 afterwards.
class PrecisionScope {
 public:
  PrecisionScope(Backend& backend, Precision precision) : backend_(backend) { backend_.set_precision(precision); }
  ~PrecisionScope() {
    try {
      backend_.set_precision(Precision::float32);
    } catch (const Error&) {
      // The device has failed, and what ran in this scope said so.
    }
  }
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  Backend& backend_;
};

/// How many steps go up at a time: about kChunkTime of work, so that the host wakes rarely and a cancellation waits for
/// two chunks at most.
class ChunkSize {
 public:
  explicit ChunkSize(int64_t most) : most_(most), steps_(std::min(most, kFirst)) {}

  int64_t steps() const { return steps_; }
  /// `count` steps have been computed since the last call.
  void computed(int64_t count) {
    const Clock::time_point now = Clock::now();
    const double each = std::chrono::duration<double>(now - last_).count() / static_cast<double>(count);
    last_ = now;
    const double wanted = std::min(kChunkTime / std::max(each, 1e-9), static_cast<double>(2 * steps_));
    steps_ = std::clamp<int64_t>(static_cast<int64_t>(wanted), 1, most_);
  }

 private:
  static constexpr int64_t kFirst = 16;
  static constexpr double kChunkTime = 0.025;  ///< seconds

  int64_t most_, steps_;
  Clock::time_point last_ = Clock::now();
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Pairs of input and target in the sessions of `order`.
int64_t count_pairs(const Sessions& sessions, Span<const int32_t> order) {
  int64_t pairs = 0;
  for (int32_t session : order) pairs += std::max<int64_t>(0, sessions.length(session) - 1);
  return pairs;
}

}  // namespace

Trainer::Trainer(Parameters& parameters, OptimiserState& optimiser, const TrainingSpec& spec,
                 Span<const uint32_t> support, const TrainingPosition& position)
    : backend_(parameters.backend()),
      spec_((validate(spec), spec)),
      precision_(choose_precision(parameters.backend(), spec)),
      optimiser_(optimiser),
      samples_(parameters.backend(), spec, parameters.spec().items, support),
      training_step_(parameters, optimiser, spec, samples_),
      source_(backend_, backend_.records() ? 0 : spec.batch),
      step_(position.steps),
      epoch_(position.epochs) {
  if (backend_.records()) feeder_.emplace(backend_, spec, samples_);
}

void Trainer::set_learning_rate(float learning_rate) {
  spec_.optimiser.learning_rate = learning_rate;
  optimiser_.set_learning_rate(learning_rate);
}

Progress Trainer::epoch(const Sessions& sessions, Span<const int32_t> order, const Cancellation& cancellation,
                        const std::function<void(const Progress&)>& report) {
  if (spec_.random_order) {
    shuffled_.assign(order.begin(), order.end());
    shuffle(random_stream(spec_.seed, Purpose::shuffle, epoch_), {shuffled_.data(), order.size});
    order = {shuffled_.data(), order.size};
  }
  ++epoch_;
  const PrecisionScope scope(backend_, precision_);
  training_step_.begin_epoch();

  const Clock::time_point start = Clock::now();
  Walk walk{Schedule(sessions, order, spec_.batch, spec_.samples == 0 ? 2 : 1), cancellation, report, start,
            start + kReportInterval, Progress()};
  walk.progress.total_events = count_pairs(sessions, order);
  if (feeder_) {
    feed_steps(walk);
  } else {
    run_steps(walk);
  }
  return walk.progress;
}

void Trainer::run_steps(Walk& walk) {
  const auto read_loss = [&] {
    LossTotals totals;
    backend_.download(training_step_.totals(), sizeof totals, &totals);
    note_loss(walk, totals);
  };
  for (ScheduleStep next; walk.schedule.next(next);) {
    walk.cancellation.check();
    step(next);
    ++walk.progress.steps;
    walk.progress.events += next.input.size;
    if (Clock::now() < walk.next_report) continue;
    read_loss();
    report_when_due(walk);
  }
  read_loss();
}

void Trainer::step(const ScheduleStep& step) {
  const StepItems items = samples_.items(step_, step.input, step.target);
  source_.upload(step.source);
  training_step_.run({items, source_.span(items.rows), step_, nullptr});
  ++step_;
}

void Trainer::feed_steps(Walk& walk) {
  const StepFeed& feed = feeder_->view();
  const StepInput input{{feed.items, feed.batch(), feed.samples}, feed.source, 0, feed.state};
  const auto step = [&] {
    backend_.begin_step(feed);
    training_step_.run(input);
  };
  StepRunner runner(backend_, step, spec_.steps_per_launch);
  feeder_->begin(step_);

  ChunkSize size(feeder_->max_chunk());
  StepFeeder::Chunk before;
  for (int turn = 0;; turn = 1 - turn) {
    walk.cancellation.check();
    const StepFeeder::Chunk chunk = feeder_->feed(walk.schedule, size.steps());
    runner.run(chunk.steps);
    step_ += static_cast<uint64_t>(chunk.steps);
    if (chunk.steps > 0) backend_.start_read(turn, training_step_.totals(), sizeof(LossTotals));
    if (before.steps > 0) {
      LossTotals totals;
      backend_.finish_read(1 - turn, sizeof totals, &totals);
      size.computed(before.steps);
      walk.progress.steps += before.steps;
      walk.progress.events += before.events;
      note_loss(walk, totals);
      report_when_due(walk);
    }
    if (chunk.steps == 0) break;
    before = chunk;
  }
}

void Trainer::note_loss(Walk& walk, const LossTotals& totals) {
  check_finite(totals);
  walk.progress.loss = totals.weight > 0.0 ? totals.weighted_sum / totals.weight : 0.0;
  walk.progress.seconds = seconds_since(walk.start);
}

void Trainer::report_when_due(Walk& walk) {
  if (Clock::now() < walk.next_report) return;
  if (walk.report) walk.report(walk.progress);
  walk.next_report = Clock::now() + kReportInterval;
}

void Trainer::check_finite(const LossTotals& totals) const {
  if (totals.first_bad_step < 0) return;
  std::ostringstream message;
  message << "Expected a finite loss but epoch " << epoch_ << ", step " << totals.first_bad_step + 1
          << " gave one that is not: lower learningRate (" << spec_.optimiser.learning_rate << ") or momentum ("
          << spec_.optimiser.momentum << "), or use loss=cross-entropy";
  throw Error(ErrorCode::not_finite, message.str());
}

}  // namespace gru4rec
