#include "engine/recommender.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "backend/array.h"
#include "core/error.h"
#include "engine/ranking_rows.h"
#include "engine/session_states.h"

namespace gru4rec {

namespace {

[[noreturn]] void throw_not_finite(int64_t session) {
  throw Error(ErrorCode::not_finite,
              "Expected finite scores but session " + std::to_string(session) + " has one that is not");
}

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

 private:
  Array<int64_t> starts_;
  Array<int32_t> items_;
};

}  // namespace

Recommendations recommend(const Parameters& parameters, const Sessions& sessions, const RecommendOptions& options,
                          const Cancellation& cancellation) {
  Backend& backend = parameters.backend();
  const ModelSpec& spec = parameters.spec();
  const int64_t k = options.k, count = sessions.count();
  const int64_t chunk = std::max<int64_t>(1, std::min(rows_per_ranking(spec.items, spec.hidden()), count));
  const bool softmax = spec.final_act.kind == ActivationKind::softmax;

  SessionStates states(parameters, chunk);
  Array<int32_t> candidate_items(backend, options.candidates.size);
  candidate_items.upload(options.candidates);
  const Candidates candidates{options.restricted, candidate_items.span()};
  Array<int32_t> items(backend, chunk * k);
  Array<float> scores(backend, chunk * k), log_sum_exp(backend, softmax ? chunk : 0);
  std::vector<int32_t> chunk_items(chunk * k);
  std::vector<float> chunk_scores(chunk * k), chunk_log_sum_exp(chunk);

  Recommendations result{std::vector<int32_t>(count * k), std::vector<float>(count * k)};
  for (int64_t first = 0; first < count; first += chunk) {
    cancellation.check();
    const int64_t rows = std::min(chunk, count - first);
    states.read(sessions, first, rows, cancellation);
    const ChunkExclusions exclusions(backend, options, states, rows);
    backend.top_k(states.hidden(), parameters.output_weight(), parameters.output_bias(), k, candidates,
                  exclusions.view(), items.span(rows * k), scores.matrix(rows, k),
                  log_sum_exp.span(softmax ? rows : 0));
    if (!softmax) backend.activate_scores(spec.final_act, scores.matrix(rows, k));
    items.download({chunk_items.data(), rows * k});
    scores.download({chunk_scores.data(), rows * k});
    if (softmax) log_sum_exp.download({chunk_log_sum_exp.data(), rows});

    for (int64_t row = 0; row < rows; ++row) {
      const int64_t session = states.session(row);
      if (k > 0 && chunk_items[row * k] == kNotFinite) throw_not_finite(session);
      for (int64_t j = 0; j < k; ++j) {
        const int32_t item = chunk_items[row * k + j];
        const float score = chunk_scores[row * k + j];
        result.items[session * k + j] = item;
        if (item != kNoItem)
          result.scores[session * k + j] = softmax ? std::exp(score - chunk_log_sum_exp[row]) : score;
      }
    }
  }
  return result;
}

void predict(const Parameters& parameters, const Sessions& sessions, Span<const int32_t> items, Span<float> scores,
             const Cancellation& cancellation) {
  Backend& backend = parameters.backend();
  const ModelSpec& spec = parameters.spec();
  const int64_t count = sessions.count(), columns = items.empty() ? spec.items : items.size;
  const int64_t chunk = std::max<int64_t>(1, std::min(rows_per_ranking(columns, spec.hidden()), count));

  SessionStates states(parameters, chunk);
  Array<int32_t> item_list(backend, items.size);
  item_list.upload(items);
  Array<float> chunk_scores(backend, chunk * columns);
  std::vector<float> host(chunk * columns);

  for (int64_t first = 0; first < count; first += chunk) {
    cancellation.check();
    const int64_t rows = std::min(chunk, count - first);
    states.read(sessions, first, rows, cancellation);
    backend.scores(states.hidden(), parameters.output_weight(), parameters.output_bias(), item_list.span(), LogQ{},
                   chunk_scores.matrix(rows, columns));
    backend.activate_scores(spec.final_act, chunk_scores.matrix(rows, columns));
    chunk_scores.download({host.data(), rows * columns});
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t session = states.session(row);
      const float* from = host.data() + row * columns;
      if (!std::all_of(from, from + columns, [](float score) { return std::isfinite(score); }))
        throw_not_finite(session);
      std::copy(from, from + columns, scores.data + session * columns);
    }
  }
}

}  // namespace gru4rec
