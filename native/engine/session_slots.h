#pragma once

#include <vector>

#include "engine/cancellation.h"
#include "engine/forward_pass.h"

namespace gru4rec {

/// Sessions that go on event by event, one in each slot: their hidden states, and scores of what comes next. The
/// parameters must outlive it; a change of theirs shows from the next event on.
class SessionSlots {
 public:
  /// All slots begin in the zero state.
  SessionSlots(const Parameters& parameters, int64_t slots);

  int64_t slots() const { return forward_.rows(); }

  /// One event in every slot.
  /// @param input  [slots] (host) the item that a slot reads; kNoItem = none, its session stays where it is.
  /// @param starts  [slots] (host) not 0 = a session begins in the slot, from the zero state.
  /// @param items  (host) the columns of the scores; empty = all items.
  /// @param scores  out (host), [slots, columns], after the final activation; a softmax runs over the columns.
  /// Throws ErrorCode::not_finite, ErrorCode::aborted; the states are then those before the event.
  void next(Span<const int32_t> input, Span<const uint8_t> starts, Span<const int32_t> items, Span<float> scores,
            const Cancellation& cancellation);

 private:
  void score(Span<const int32_t> items, Span<float> scores, const Cancellation& cancellation) const;
  void step(Span<const int32_t> input, Span<const uint8_t> starts);

  const Parameters& parameters_;
  ForwardPass forward_;
  StepDropout dropout_;
  std::vector<int32_t> host_input_, host_source_;
  Array<int32_t> input_, source_;
  Matrix kept(int64_t l) const { return kept_[l].matrix(slots(), parameters_.spec().layers[l]); }
  std::vector<Array<float>> kept_;  ///< [slots, H] of each layer: states before the step
};

}  // namespace gru4rec
