#pragma once

#include <vector>

#include "core/schedule.h"
#include "engine/cancellation.h"
#include "engine/parameters.h"

namespace gru4rec {

/// How equal scores count (docs/model.md, "Prediction and evaluation").
enum class Ties { standard, conservative, median };

struct EvaluationOptions {
  Ties ties = Ties::conservative;
  int64_t batch = 100;             ///< sessions walked in parallel; never changes a rank
  bool restricted = false;         ///< rank among `candidates` (and the target) only
  Span<const int32_t> candidates;  ///< ascending, without repeats (host)
};

/// Ranks of the targets of all pairs of the sessions, in the order of the session-parallel walk over all of them.
/// Throws ErrorCode::not_finite for a score that is not finite, ErrorCode::aborted.
std::vector<double> evaluate(const Parameters& parameters, const Sessions& sessions, const EvaluationOptions& options,
                             const Cancellation& cancellation);

}  // namespace gru4rec
