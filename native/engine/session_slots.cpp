#include "engine/session_slots.h"

#include <algorithm>

#include "backend/backend.h"
#include "engine/row_scorer.h"

namespace gru4rec {

SessionSlots::SessionSlots(const Parameters& parameters, int64_t slots)
    : parameters_(parameters),
      forward_(parameters, slots),
      dropout_(no_dropout(parameters.spec())),
      host_input_(slots),
      host_source_(slots),
      input_(parameters.backend(), slots),
      source_(parameters.backend(), slots) {
  for (int64_t width : parameters.spec().layers) kept_.emplace_back(parameters.backend(), slots * width);
}

void SessionSlots::next(Span<const int32_t> input, Span<const uint8_t> starts, Span<const int32_t> items,
                        Span<float> scores, const Cancellation& cancellation) {
  cancellation.check();
  step(input, starts);
  try {
    score(items, scores, cancellation);
  } catch (...) {
    for (int64_t l = 0; l < static_cast<int64_t>(kept_.size()); ++l)
      parameters_.backend().copy(kept(l), forward_.state(l));
    throw;
  }
}

void SessionSlots::score(Span<const int32_t> items, Span<float> scores, const Cancellation& cancellation) const {
  const int64_t chunk = RowScorer::chunk(parameters_, items, slots());
  RowScorer scorer(parameters_, items, chunk);
  for (int64_t first = 0; first < slots(); first += chunk) {
    cancellation.check();
    const int64_t rows = std::min(chunk, slots() - first);
    const ConstMatrix scored = scorer.score(forward_.hidden(slots()).row_range(first, rows));
    for (int64_t row = 0; row < rows; ++row)
      if (!all_finite(scored, row)) throw_not_finite(first + row);
    std::copy_n(scored.data, rows * scored.cols, scores.data + first * scored.cols);
  }
}

void SessionSlots::step(Span<const int32_t> input, Span<const uint8_t> starts) {
  Backend& backend = parameters_.backend();
  const auto layers = static_cast<int64_t>(kept_.size());
  for (int64_t l = 0; l < layers; ++l) backend.copy(forward_.state(l), kept(l));

  for (int64_t slot = 0; slot < slots(); ++slot) {
    host_input_[slot] = std::max(input[slot], 0);
    host_source_[slot] = starts[slot] != 0 ? -1 : static_cast<int32_t>(slot);
  }
  input_.upload({host_input_.data(), slots()});
  source_.upload({host_source_.data(), slots()});
  forward_.step(input_.span(), source_.span(), dropout_);

  // A slot without an event has read item 0; what it was before comes back.
  for (int64_t slot = 0; slot < slots(); ++slot) {
    if (input[slot] >= 0) continue;
    for (int64_t l = 0; l < layers; ++l) {
      const Matrix state = forward_.state(l).row_range(slot, 1);
      if (starts[slot] != 0)
        backend.fill(0.0f, state);
      else
        backend.copy(kept(l).row_range(slot, 1), state);
    }
  }
}

}  // namespace gru4rec
