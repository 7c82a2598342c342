#include "engine/evaluator.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "engine/forward_pass.h"
#include "engine/ranking_rows.h"
#include "engine/step_walk.h"

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

void expect_finite(int32_t greater) {
  if (greater == kNotFinite)
    throw Error(ErrorCode::not_finite, "Expected finite scores but the model gave one that is not");
}

/// A walk over sessions in parallel, and the ranks of its targets in their order.
class RankedWalk {
 public:
  RankedWalk(const Parameters& parameters, int64_t batch, const EvaluationOptions& options)
      : parameters_(parameters),
        backend_(parameters.backend()),
        options_(options),
        batch_(batch),
        forward_(parameters, batch),
        dropout_(no_dropout(parameters.spec())),
        candidate_items_(backend_, options.candidates.size),
        ranks_(backend_, 2 * batch) {
    candidate_items_.upload(options.candidates);
  }

  /// Calls the operations of each step.
  std::vector<double> run_steps(Schedule& schedule, const Cancellation& cancellation);
  /// Lets the device take the steps by itself.
  std::vector<double> feed_steps(Schedule& schedule, const Cancellation& cancellation);

 private:
  Span<int32_t> greater() const { return ranks_.span().range(0, batch_); }
  Span<int32_t> equal() const { return ranks_.span().range(batch_, batch_); }

  /// One step, which checks for a cancellation between its pieces.
  void step(Span<const int32_t> input, Span<const int32_t> target, Span<const int32_t> source,
            const Cancellation& cancellation) {
    const int64_t rows = input.size, at_once = rows_per_ranking(backend_, parameters_.spec());
    forward_.step(input, source, dropout_);
    for (int64_t first = 0; first < rows; first += at_once) {
      cancellation.check();
      const int64_t count = std::min(at_once, rows - first);
      backend_.target_ranks(forward_.hidden(rows).row_range(first, count), parameters_.output_weight(),
                            parameters_.output_bias(), target.range(first, count),
                            {options_.restricted, candidate_items_.span()}, greater().range(first, count),
                            equal().range(first, count));
    }
  }

  /// @param counts  [2 * batch] greater, equal
  void add(const int32_t* counts, int64_t active, std::vector<double>& ranks) const {
    for (int64_t row = 0; row < active; ++row) {
      expect_finite(counts[row]);
      ranks.push_back(rank(options_.ties, counts[row], counts[batch_ + row]));
    }
  }

  const Parameters& parameters_;
  Backend& backend_;
  const EvaluationOptions& options_;
  int64_t batch_;
  ForwardPass forward_;
  StepDropout dropout_;
  Array<int32_t> candidate_items_, ranks_;  ///< ranks: [2 * batch] greater, equal
};

std::vector<double> RankedWalk::run_steps(Schedule& schedule, const Cancellation& cancellation) {
  Array<int32_t> input(backend_, batch_), target(backend_, batch_), source(backend_, batch_);
  std::vector<int32_t> counts(2 * batch_);
  std::vector<double> ranks;
  for (ScheduleStep next; schedule.next(next);) {
    const int64_t active = next.input.size;
    input.upload(next.input);
    target.upload(next.target);
    source.upload(next.source);
    step(input.span(active), target.span(active), source.span(active), cancellation);
    ranks_.download({counts.data(), 2 * batch_});
    add(counts.data(), active, ranks);
  }
  return ranks;
}

std::vector<double> RankedWalk::feed_steps(Schedule& schedule, const Cancellation& cancellation) {
  StepFeeder feeder(backend_, batch_, StepSamples(), 0);
  const StepFeed& feed = feeder.view();
  const Span<const int32_t> items = feed.items;
  Array<int32_t> kept(backend_, feeder.capacity() * 2 * batch_);
  const MatrixView<int32_t> kept_rows = kept.matrix(feeder.capacity(), 2 * batch_);
  StepRunner runner(
      backend_,
      [&] {
        step(items.range(batch_, batch_), items.range(0, batch_), feed.source, cancellation);
        backend_.keep_step(ranks_.span(), feed.state, kept_rows);
        backend_.begin_step(feed);
      },
      std::nullopt);
  feeder.begin(schedule, 0);

  std::vector<double> ranks;
  std::vector<int64_t> active[kReadPlaces];
  std::vector<int32_t> counts(feeder.max_chunk() * 2 * batch_);
  const auto bytes = [&](const StepFeeder::Chunk& chunk) {
    return chunk.steps * 2 * batch_ * static_cast<int64_t>(sizeof(int32_t));
  };
  const ChunkReader reader{[&](const StepFeeder::Chunk& chunk, int place) {
                             active[place].resize(chunk.steps);
                             for (int64_t s = 0; s < chunk.steps; ++s) active[place][s] = feeder.active(s);
                             backend_.start_read(place, kept_rows.row(chunk.first), bytes(chunk));
                           },
                           [&](const StepFeeder::Chunk& chunk, int place) {
                             backend_.finish_read(place, bytes(chunk), counts.data());
                             for (int64_t s = 0; s < chunk.steps; ++s)
                               add(counts.data() + s * 2 * batch_, active[place][s], ranks);
                           }};
  walk(schedule, feeder, runner, cancellation, reader);
  return ranks;
}

}  // namespace

std::vector<double> evaluate(const Parameters& parameters, const Sessions& sessions, const EvaluationOptions& options,
                             const Cancellation& cancellation) {
  const int64_t batch = std::max<int64_t>(1, std::min(options.batch, sessions.count()));
  std::vector<int32_t> order(sessions.count());
  std::iota(order.begin(), order.end(), 0);
  SessionsInOrder in_order(sessions, {order.data(), sessions.count()});
  Schedule schedule(in_order, batch, 1);
  RankedWalk walk(parameters, batch, options);
  // A step that is ranked in pieces is long enough to be called by itself, and to be cancelled between them.
  const bool fed = parameters.backend().records() && batch <= rows_per_ranking(parameters.backend(), parameters.spec());
  return fed ? walk.feed_steps(schedule, cancellation) : walk.run_steps(schedule, cancellation);
}

}  // namespace gru4rec
