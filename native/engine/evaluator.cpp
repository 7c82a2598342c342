#include "engine/evaluator.h"

#include <algorithm>
#include <numeric>

#include "engine/forward_pass.h"
#include "engine/ranking_rows.h"

namespace gru4rec {

namespace {

/// The rank of a target that `greater` other candidates beat and `equal` others meet.
double rank(Ties ties, int32_t greater, int32_t equal) {
  switch (ties) {
    case Ties::standard:
      return greater + 1.0;
    case Ties::conservative:
      return greater + equal + 1.0;
    case Ties::median:
      return greater + 0.5 * equal + 1.0;
  }
  return 0.0;
}

}  // namespace

std::vector<double> evaluate(const Parameters& parameters, const Sessions& sessions, const EvaluationOptions& options,
                             const Cancellation& cancellation) {
  Backend& backend = parameters.backend();
  const ModelSpec& spec = parameters.spec();
  const int64_t batch = std::max<int64_t>(1, std::min(options.batch, sessions.count()));
  const int64_t ranked_rows = rows_per_ranking(spec.items, spec.hidden());

  ForwardPass forward(parameters, batch);
  const StepDropout dropout = no_dropout(spec);
  Array<int32_t> input(backend, batch), target(backend, batch), source(backend, batch);
  Array<int32_t> greater(backend, batch), equal(backend, batch);
  std::vector<int32_t> host_greater(batch), host_equal(batch);
  Array<int32_t> candidate_items(backend, options.candidates.size);
  candidate_items.upload(options.candidates);
  const Candidates candidates{options.restricted, candidate_items.span()};

  std::vector<int32_t> order(sessions.count());
  std::iota(order.begin(), order.end(), 0);
  Schedule schedule(sessions, {order.data(), sessions.count()}, batch, 1);

  std::vector<double> ranks;
  for (ScheduleStep step; schedule.next(step);) {
    const int64_t active = step.input.size;
    input.upload(step.input);
    target.upload(step.target);
    source.upload(step.source);
    forward.step(input.span(active), source.span(active), dropout);
    for (int64_t first = 0; first < active; first += ranked_rows) {
      cancellation.check();
      const int64_t count = std::min(ranked_rows, active - first);
      backend.target_ranks(forward.hidden(active).row_range(first, count), parameters.output_weight(),
                           parameters.output_bias(), target.span().range(first, count), candidates,
                           greater.span().range(first, count), equal.span().range(first, count));
    }
    greater.download({host_greater.data(), active});
    equal.download({host_equal.data(), active});
    for (int64_t row = 0; row < active; ++row) {
      if (host_greater[row] == kNotFinite)
        throw Error(ErrorCode::not_finite, "Expected finite scores but the model gave one that is not");
      ranks.push_back(rank(options.ties, host_greater[row], host_equal[row]));
    }
  }
  return ranks;
}

}  // namespace gru4rec
