#include "engine/trainer.h"

#include <algorithm>
#include <chrono>
#include <sstream>

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
int64_t count_pairs(const Sessions& sessions, Span<const int32_t> order) {
  int64_t pairs = 0;
  for (int32_t session : order) pairs += std::max<int64_t>(0, sessions.length(session) - 1);
  return pairs;
}

}  // namespace

Trainer::Trainer(Parameters& parameters, OptimiserState& optimiser, const TrainingSpec& spec,
                 Span<const uint32_t> support, const TrainingPosition& position)
    : parameters_(parameters),
      backend_(parameters.backend()),
      spec_((validate(spec), spec)),
      precision_(choose_precision(parameters.backend(), spec)),
      forward_(parameters, spec.batch),
      backward_(parameters, spec.batch, spec.samples),
      optimiser_(optimiser),
      samples_(parameters.backend(), spec, parameters.spec().items, support),
      source_(backend_, spec.batch),
      scores_(backend_, spec.batch * (spec.batch + spec.samples)),
      row_losses_(backend_, spec.batch),
      totals_(backend_, 1),
      dropout_(no_dropout(parameters.spec())),
      step_(position.steps),
      epoch_(position.epochs) {}

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
  forward_.reset();
  reset_totals();

  const Clock::time_point start = Clock::now();
  Clock::time_point next_report = start + kReportInterval;
  Progress progress;
  progress.total_events = count_pairs(sessions, order);
  const auto read_loss = [&] {
    const LossTotals totals = read_totals();
    check_finite(totals);
    progress.loss = totals.weight > 0.0 ? totals.weighted_sum / totals.weight : 0.0;
    progress.seconds = seconds_since(start);
  };

  Schedule schedule(sessions, order, spec_.batch, spec_.samples == 0 ? 2 : 1);
  for (ScheduleStep next; schedule.next(next);) {
    cancellation.check();
    step(next);
    ++progress.steps;
    progress.events += next.input.size;
    if (Clock::now() < next_report) continue;
    read_loss();
    if (report) report(progress);
    next_report = Clock::now() + kReportInterval;
  }
  read_loss();
  return progress;
}

void Trainer::step(const ScheduleStep& step) {
  const int64_t active = step.input.size;
  const StepItems items = samples_.items(step_, step.input, step.target);
  source_.upload(step.source);
  update_dropout();

  forward_.step(items.inputs(), source_.span(active), dropout_);
  const Matrix scores = scores_.matrix(active, items.columns());
  backend_.scores(forward_.hidden(active), parameters_.output_weight(), parameters_.output_bias(), items.scored(),
                  samples_.log_q(active), scores);
  backend_.loss_gradient(spec_.loss, spec_.batch, scores, row_losses_.span(active));
  backend_.accumulate_loss(row_losses_.span(active), spec_.batch, totals_.data());

  backward_.run(forward_, items, dropout_, scores);
  optimiser_.apply(backward_, spec_.grad_cap > 0.0 ? backward_.clip(spec_.grad_cap) : nullptr);
  ++step_;
}

void Trainer::update_dropout() {
  // In `none` mode the input is a row of gates, which no dropout touches.
  if (parameters_.spec().embedding != EmbeddingMode::none)
    dropout_.input = make_dropout(spec_.dropout_embed, random_stream(spec_.seed, Purpose::input_dropout, step_));
  for (size_t l = 0; l < dropout_.hidden.size(); ++l)
    dropout_.hidden[l] = make_dropout(
        spec_.dropout_hidden, random_stream(spec_.seed, Purpose::hidden_dropout, step_, static_cast<uint32_t>(l)));
}

LossTotals Trainer::read_totals() const {
  LossTotals totals;
  totals_.download({&totals, 1});
  return totals;
}

void Trainer::reset_totals() {
  const LossTotals totals;
  totals_.upload({&totals, 1});
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
