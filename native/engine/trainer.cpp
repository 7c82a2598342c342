#include "engine/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sstream>

namespace gru4rec {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kReportInterval{100};

/// The correction belongs to the softmax; the pairwise losses go without.
bool uses_logq(const TrainingSpec& spec) {
  return spec.logq > 0.0 && (spec.loss.kind == LossKind::cross_entropy || spec.loss.kind == LossKind::xe_logit);
}

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
      forward_(parameters, spec.batch),
      backward_(parameters, spec.batch, spec.samples),
      optimiser_(optimiser),
      samples_(parameters.backend(), spec, support),
      source_(backend_, spec.batch),
      scores_(backend_, spec.batch * (spec.batch + spec.samples)),
      row_losses_(backend_, spec.batch),
      totals_(backend_, 1),
      dropout_(no_dropout(parameters.spec())),
      step_(position.steps),
      epoch_(position.epochs) {
  if (uses_logq(spec)) {
    std::vector<float> log_support(support.size);
    for (int64_t i = 0; i < support.size; ++i) log_support[i] = static_cast<float>(std::log(support[i]));
    log_support_ = Array<float>(backend_, support.size);
    log_support_.upload({log_support.data(), support.size});
  }
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
                  log_q(active), scores);
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

LogQ Trainer::log_q(int64_t targets) const {
  if (log_support_.size() == 0) return {};
  return {log_support_.data(), static_cast<float>(spec_.logq), static_cast<float>(spec_.logq * spec_.sample_alpha),
          targets};
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
