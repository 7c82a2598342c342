#pragma once

#include <vector>

#include "backend/backend.h"
#include "core/schedule.h"
#include "engine/cancellation.h"
#include "engine/parameters.h"

namespace gru4rec {

struct RecommendOptions {
  int64_t k = 20;
  bool restricted = false;         ///< choose among `candidates` only
  Span<const int32_t> candidates;  ///< ascending, without repeats (host)
  /// Where each session's own candidates begin (host): session s chooses among candidates[starts[s] .. starts[s + 1]).
  /// Empty = all sessions choose among all candidates.
  Span<const int32_t> candidate_starts;
  /// Items to leave out (host): session s leaves out exclusions[starts[s] .. starts[s + 1]), ascending. Empty = none.
  Span<const int32_t> exclusion_starts;
  Span<const int32_t> exclusions;
};

/// The top k of every session: items [sessions * k] best first, kNoItem behind the last, and their scores after the
/// final activation (a softmax runs over all items).
struct Recommendations {
  std::vector<int32_t> items;
  std::vector<float> scores;
};

/// Sessions may be empty: they are scored from the zero state. Throws ErrorCode::not_finite, ErrorCode::aborted.
Recommendations recommend(const Parameters& parameters, const Sessions& sessions, const RecommendOptions& options,
                          const Cancellation& cancellation);

/// Scores after the final activation of `items` (host; empty = all) for every session, [sessions, items] into `scores`
/// (host). A softmax runs over the items asked for. Throws ErrorCode::not_finite, ErrorCode::aborted.
void predict(const Parameters& parameters, const Sessions& sessions, Span<const int32_t> items, Span<float> scores,
             const Cancellation& cancellation);

}  // namespace gru4rec
