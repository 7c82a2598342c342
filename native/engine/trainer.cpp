#include "engine/trainer.h"

#include <algorithm>
#include <chrono>
#include <sstream>

#include "engine/session_file/session_windows.h"
#include "engine/step_walk.h"

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

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Pairs of input and target in the sessions of `order`.
int64_t count_pairs(Span<const int32_t> offsets, Span<const int32_t> order) {
  SessionOrder sessions(offsets, order);
  int64_t pairs = 0;
  for (int32_t session; (session = sessions.next()) >= 0;) pairs += sessions.length(session) - 1;
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
  if (!backend_.records()) return;
  feeder_.emplace(backend_, spec.batch, StepSamples{spec.samples, spec.seed, samples_.table()}, kNoItem);
}

void Trainer::set_learning_rate(float learning_rate) {
  spec_.optimiser.learning_rate = learning_rate;
  optimiser_.set_learning_rate(learning_rate);
}

Progress Trainer::epoch(const Sessions& sessions, Span<const int32_t> order, const Cancellation& cancellation,
                        const std::function<void(const Progress&)>& report) {
  order = order_of_epoch(order);
  SessionsInOrder in_order(sessions, order);
  return train(in_order, count_pairs(sessions.offsets, order), cancellation, report);
}

Progress Trainer::epoch(const SessionFile& sessions, Span<const int32_t> order, const Cancellation& cancellation,
                        const std::function<void(const Progress&)>& report) {
  order = order_of_epoch(order);
  SessionWindows windows(sessions, order, spec_.batch, cancellation, open_items(sessions));
  return train(windows, count_pairs(sessions.offsets, order), cancellation, report);
}

Span<const int32_t> Trainer::order_of_epoch(Span<const int32_t> order) {
  if (!spec_.random_order) return order;
  shuffled_.assign(order.begin(), order.end());
  shuffle(random_stream(spec_.seed, Purpose::shuffle, epoch_), {shuffled_.data(), order.size});
  return {shuffled_.data(), order.size};
}

Progress Trainer::train(SessionSource& sessions, int64_t pairs, const Cancellation& cancellation,
                        const std::function<void(const Progress&)>& report) {
  ++epoch_;
  const PrecisionScope scope(backend_, precision_);
  training_step_.begin_epoch();

  const Clock::time_point start = Clock::now();
  Epoch epoch{Schedule(sessions, spec_.batch, spec_.samples == 0 ? 2 : 1),
              cancellation,
              report,
              start,
              start + kReportInterval,
              Progress()};
  epoch.progress.total_events = pairs;
  if (feeder_) {
    feed_steps(epoch);
  } else {
    run_steps(epoch);
  }
  return epoch.progress;
}

void Trainer::run_steps(Epoch& epoch) {
  const auto read_loss = [&] {
    LossTotals totals;
    backend_.download(training_step_.totals(), sizeof totals, &totals);
    note_loss(epoch, totals);
  };
  for (ScheduleStep next; epoch.schedule.next(next);) {
    epoch.cancellation.check();
    step(next);
    ++epoch.progress.steps;
    epoch.progress.events += next.input.size;
    if (Clock::now() < epoch.next_report) continue;
    read_loss();
    report_when_due(epoch);
  }
  read_loss();
}

void Trainer::step(const ScheduleStep& step) {
  const StepItems items = samples_.items(step_, step.input, step.target);
  source_.upload(step.source);
  training_step_.run({items, source_.span(items.rows), step_, nullptr});
  ++step_;
}

void Trainer::feed_steps(Epoch& epoch) {
  const StepFeed& feed = feeder_->view();
  const StepInput input{{feed.items, feed.batch(), feed.samples}, feed.source, 0, &feed};
  StepRunner runner(
      backend_, [&] { training_step_.run(input); }, spec_.steps_per_launch);
  feeder_->begin(epoch.schedule, step_);
  const ChunkReader loss{[&](const StepFeeder::Chunk& chunk, int place) {
                           step_ += static_cast<uint64_t>(chunk.steps);
                           backend_.start_read(place, training_step_.totals(), sizeof(LossTotals));
                         },
                         [&](const StepFeeder::Chunk& chunk, int place) {
                           LossTotals totals;
                           backend_.finish_read(place, sizeof totals, &totals);
                           epoch.progress.steps += chunk.steps;
                           epoch.progress.events += chunk.events;
                           note_loss(epoch, totals);
                           report_when_due(epoch);
                         }};
  walk(epoch.schedule, *feeder_, runner, epoch.cancellation, loss);
}

void Trainer::note_loss(Epoch& epoch, const LossTotals& totals) {
  check_finite(totals);
  epoch.progress.loss = totals.weight > 0.0 ? totals.weighted_sum / totals.weight : 0.0;
  epoch.progress.seconds = seconds_since(epoch.start);
}

void Trainer::report_when_due(Epoch& epoch) {
  if (Clock::now() < epoch.next_report) return;
  if (epoch.report) epoch.report(epoch.progress);
  epoch.next_report = Clock::now() + kReportInterval;
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
