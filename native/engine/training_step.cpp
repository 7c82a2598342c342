#include "engine/training_step.h"

namespace gru4rec {

TrainingStep::TrainingStep(Parameters& parameters, OptimiserState& optimiser, const TrainingSpec& spec,
                           const SampleStore& samples)
    : parameters_(parameters),
      backend_(parameters.backend()),
      spec_(spec),
      optimiser_(optimiser),
      samples_(samples),
      forward_(parameters, spec.batch),
      history_(parameters, spec),
      backward_(parameters, spec.batch, spec.samples, spec.bptt),
      scores_(backend_, spec.batch * (spec.batch + spec.samples)),
      row_losses_(backend_, spec.batch),
      totals_(backend_, 1),
      dropout_(no_dropout(parameters.spec())) {}

void TrainingStep::begin_epoch() {
  forward_.reset();
  const LossTotals none;
  totals_.upload({&none, 1});
}

void TrainingStep::run(const StepInput& input) {
  const StepItems& items = input.items;
  StepState* const state = input.state();
  const int32_t* active = state != nullptr ? &state->active : nullptr;
  update_dropout(input);
  {
    const BranchScope branch(backend_, Branch::items);
    backward_.group(items, input.source);
  }

  history_.begin_step(forward_, input.source, dropout_);
  forward_.step(items.inputs(), input.source, dropout_);
  const Matrix scores = scores_.matrix(items.rows, items.columns());
  const Span<float> row_losses = row_losses_.span(items.rows);
  backend_.scores(forward_.hidden(items.rows), parameters_.output_weight(), parameters_.output_bias(), items.scored(),
                  samples_.log_q(items.rows), scores);
  backend_.loss_gradient(spec_.loss, spec_.batch, active, scores, row_losses);

  backward_.run(forward_, history_, items, dropout_, scores);
  backend_.join(Branch::items);
  {
    // Nothing behind this reads the step's number, items or sources any more: the updates have the groups. So the next
    // step begins beside them.
    const BranchScope branch(backend_, Branch::items);
    backend_.accumulate_loss(row_losses, spec_.batch, state, totals_.data());
    if (input.feed != nullptr) backend_.begin_step(*input.feed);
  }
  optimiser_.apply(backward_, spec_.grad_cap > 0.0 ? backward_.clip(spec_.grad_cap) : nullptr);
  backend_.join(Branch::items);
}

void TrainingStep::update_dropout(const StepInput& input) {
  const StepState* const state = input.state();
  const uint64_t* number = state != nullptr ? &state->step : nullptr;
  // In `none` mode the input is a row of gates, which no dropout touches.
  if (parameters_.spec().embedding != EmbeddingMode::none) {
    dropout_.input =
        make_dropout(spec_.dropout_embed, random_stream(spec_.seed, Purpose::input_dropout, input.number), number);
  }
  for (size_t l = 0; l < dropout_.hidden.size(); ++l) {
    const RandomStream stream =
        random_stream(spec_.seed, Purpose::hidden_dropout, input.number, static_cast<uint32_t>(l));
    dropout_.hidden[l] = make_dropout(spec_.dropout_hidden, stream, number);
  }
}

}  // namespace gru4rec
