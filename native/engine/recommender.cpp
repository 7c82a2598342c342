#include "engine/recommender.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/array.h"
#include "engine/ranking_rows.h"
#include "engine/row_scorer.h"
#include "engine/session_states.h"

namespace gru4rec {

namespace {

/// Exclusions of the sessions of one chunk, in the order of its rows.
class ChunkExclusions {
 public:
  ChunkExclusions(Backend& backend, const RecommendOptions& options, const SessionStates& states, int64_t rows) {
    if (options.exclusion_starts.empty()) return;
    std::vector<int64_t> starts{0};
    std::vector<int32_t> items;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t session = states.session(row);
      items.insert(items.end(), options.exclusions.begin() + options.exclusion_starts[session],
                   options.exclusions.begin() + options.exclusion_starts[session + 1]);
      starts.push_back(static_cast<int64_t>(items.size()));
    }
    starts_ = Array<int64_t>(backend, static_cast<int64_t>(starts.size()));
    items_ = Array<int32_t>(backend, static_cast<int64_t>(items.size()));
    starts_.upload({starts.data(), starts_.size()});
    items_.upload({items.data(), items_.size()});
  }
  Exclusions view() const { return {starts_.span(), items_.span()}; }
  Exclusions of_row(int64_t row) const {
    return starts_.size() == 0 ? Exclusions{} : Exclusions{starts_.span().range(row, 2), items_.span()};
  }

 private:
  Array<int64_t> starts_;
  Array<int32_t> items_;
};

/// Ranks the rows of a chunk on the device.
class ChunkRanking {
 public:
  ChunkRanking(const Parameters& parameters, const RecommendOptions& options, int64_t rows)
      : parameters_(parameters),
        options_(options),
        softmax_(parameters.spec().final_act.kind == ActivationKind::softmax),
        candidates_(parameters.backend(), options.candidates.size),
        items_(parameters.backend(), rows * options.k),
        scores_(parameters.backend(), rows * options.k),
        log_sum_exp_(parameters.backend(), softmax_ ? rows : 0),
        host_items_(rows * options.k),
        host_scores_(rows * options.k),
        host_log_sum_exp_(rows) {
    candidates_.upload(options.candidates);
  }

  void rank(const SessionStates& states, const ChunkExclusions& exclusions, int64_t rows) {
    if (options_.candidate_starts.empty())
      top_k(states.hidden(), options_.k, {options_.restricted, candidates_.span()}, exclusions.view(), 0,
            log_sum_exp_.span(softmax_ ? rows : 0));
    else
      rank_own_candidates(states, exclusions, rows);
    if (!softmax_) parameters_.backend().activate_scores(parameters_.spec().final_act, scores(0, rows, options_.k));
    items_.download({host_items_.data(), rows * options_.k});
    scores_.download({host_scores_.data(), rows * options_.k});
    if (softmax_) log_sum_exp_.download({host_log_sum_exp_.data(), rows});
  }

  int32_t item(int64_t row, int64_t place) const { return host_items_[row * options_.k + place]; }
  float score(int64_t row, int64_t place) const {
    const float score = host_scores_[row * options_.k + place];
    return softmax_ ? std::exp(score - host_log_sum_exp_[row]) : score;
  }

 private:
  Matrix scores(int64_t first, int64_t rows, int64_t k) const {
    return scores_.matrix(first + rows, k).row_range(first, rows);
  }

  /// Fills the output of the rows from `first` on, `k` places each.
  void top_k(ConstMatrix hidden, int64_t k, const Candidates& candidates, const Exclusions& exclusions, int64_t first,
             Span<float> log_sum_exp) {
    parameters_.backend().top_k(hidden, parameters_.output_weight(), parameters_.output_bias(), k, candidates,
                                exclusions, items_.span().range(first * k, hidden.rows * k),
                                scores(first, hidden.rows, k), log_sum_exp);
  }

  /// Row by row, as no two have the same candidates. The sums of a softmax, which are over all items, come first.
  void rank_own_candidates(const SessionStates& states, const ChunkExclusions& exclusions, int64_t rows) {
    if (softmax_) top_k(states.hidden(), 1, Candidates{}, Exclusions{}, 0, log_sum_exp_.span(rows));
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t session = states.session(row), begin = options_.candidate_starts[session];
      const int64_t count = options_.candidate_starts[session + 1] - begin;
      top_k(states.hidden().row_range(row, 1), options_.k, {true, candidates_.span().range(begin, count)},
            exclusions.of_row(row), row, {});
    }
  }

  const Parameters& parameters_;
  const RecommendOptions& options_;
  bool softmax_;
  Array<int32_t> candidates_, items_;
  Array<float> scores_, log_sum_exp_;
  std::vector<int32_t> host_items_;
  std::vector<float> host_scores_, host_log_sum_exp_;
};

}  // namespace

Recommendations recommend(const Parameters& parameters, const Sessions& sessions, const RecommendOptions& options,
                          const Cancellation& cancellation) {
  const ModelSpec& spec = parameters.spec();
  const int64_t k = options.k, count = sessions.count();
  const int64_t at_once =
      std::min(rows_per_ranking(parameters.backend(), spec), rows_per_scoring(parameters.backend(), spec, k));
  const int64_t chunk = std::max<int64_t>(1, std::min(at_once, count));
  SessionStates states(parameters, chunk);
  ChunkRanking ranking(parameters, options, chunk);

  Recommendations result{std::vector<int32_t>(count * k), std::vector<float>(count * k)};
  for (int64_t first = 0; first < count; first += chunk) {
    cancellation.check();
    const int64_t rows = std::min(chunk, count - first);
    states.read(sessions, first, rows, cancellation);
    ranking.rank(states, ChunkExclusions(parameters.backend(), options, states, rows), rows);

    for (int64_t row = 0; row < rows; ++row) {
      const int64_t session = states.session(row);
      if (k > 0 && ranking.item(row, 0) == kNotFinite) throw_not_finite(session);
      for (int64_t j = 0; j < k; ++j) {
        const int32_t item = ranking.item(row, j);
        result.items[session * k + j] = item;
        if (item != kNoItem) result.scores[session * k + j] = ranking.score(row, j);
      }
    }
  }
  return result;
}

void predict(const Parameters& parameters, const Sessions& sessions, Span<const int32_t> items, Span<float> scores,
             const Cancellation& cancellation) {
  const int64_t count = sessions.count(), chunk = RowScorer::chunk(parameters, items, count);
  SessionStates states(parameters, chunk);
  RowScorer scorer(parameters, items, chunk);
  for (int64_t first = 0; first < count; first += chunk) {
    cancellation.check();
    const int64_t rows = std::min(chunk, count - first);
    states.read(sessions, first, rows, cancellation);
    const ConstMatrix scored = scorer.score(states.hidden());
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t session = states.session(row);
      if (!all_finite(scored, row)) throw_not_finite(session);
      std::copy_n(scored.row(row), scored.cols, scores.data + session * scored.cols);
    }
  }
}

}  // namespace gru4rec
