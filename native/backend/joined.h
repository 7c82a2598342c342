#pragma once

#include "backend/backend.h"

namespace gru4rec {

/// The columns of a step's joined matrix, [reset state (H) | input (in) | hidden state (H)].
struct Joined {
  Matrix reset_state, input, state, candidate_input, gates_input;

  Joined(const GruLayer& layer, const GruTrace& trace)
      : reset_state(trace.joined.col_range(0, layer.hidden())),
        input(trace.joined.col_range(layer.hidden(), layer.in())),
        state(trace.joined.col_range(layer.hidden() + layer.in(), layer.hidden())),
        candidate_input(trace.joined.col_range(0, layer.hidden() + layer.in())),
        gates_input(trace.joined.col_range(layer.hidden(), layer.in() + layer.hidden())) {}
};

}  // namespace gru4rec
