#include "engine/recommender.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "backend/array.h"
#include "engine/ranking_rows.h"
#include "engine/row_scorer.h"
#include "engine/session_states.h"

namespace gru4rec {

namespace {

/// An array that grows to the largest contents it had, so that chunk after chunk allocates nothing.
template <class T>
void upload_to(Array<T>& array, Backend& backend, const std::vector<T>& contents) {
  const auto size = static_cast<int64_t>(contents.size());
  if (array.size() < size) array = Array<T>(backend, size);
  backend.upload(contents.data(), size * static_cast<int64_t>(sizeof(T)), array.data());
}

/// Exclusions of the sessions of one chunk, in the order of its rows.
class ChunkExclusions {
 public:
  void take(Backend& backend, const RecommendOptions& options, const SessionStates& states, int64_t rows) {
    rows_ = options.exclusion_starts.empty() ? 0 : rows;
    if (rows_ == 0) return;
    std::vector<int64_t> starts{0};
    std::vector<int32_t> items;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t session = states.session(row);
      items.insert(items.end(), options.exclusions.begin() + options.exclusion_starts[session],
                   options.exclusions.begin() + options.exclusion_starts[session + 1]);
      starts.push_back(static_cast<int64_t>(items.size()));
    }
    count_ = static_cast<int64_t>(items.size());
    upload_to(starts_, backend, starts);
    upload_to(items_, backend, items);
  }
  /// Of `rows` rows from `first` on.
  Exclusions view(int64_t first, int64_t rows) const {
    return rows_ == 0 ? Exclusions{}
                      : Exclusions{starts_.span().range(first, rows + 1), items_.span().range(0, count_)};
  }

 private:
  Array<int64_t> starts_;
  Array<int32_t> items_;
  int64_t rows_ = 0, count_ = 0;
};

/// The lists of one chunk, on the device and on their way to the host.
struct ChunkLists {
  int64_t rows = 0;
  std::vector<int64_t> session;  ///< [rows]
  ChunkExclusions exclusions;
  /// [room, k] items, [room, k] scores and [room] sums of a softmax, behind each other, so that one read takes them.
  Array<int32_t> words;
  std::vector<int32_t> host;
};

/// Ranks chunks of sessions on the device. While it works on one, the host takes the lists of the one before.
class ChunkRanking {
 public:
  ChunkRanking(const Parameters& parameters, const RecommendOptions& options, int64_t room)
      : parameters_(parameters),
        backend_(parameters.backend()),
        options_(options),
        softmax_(parameters.spec().final_act.kind == ActivationKind::softmax),
        room_(room),
        candidates_(backend_, options.candidates.size) {
    candidates_.upload(options.candidates);
    for (ChunkLists& lists : lists_) lists.words = Array<int32_t>(backend_, room * (2 * options.k + 1));
  }

  /// Calls the ranking of the sessions that `states` has read, and starts to read the lists.
  void start(int place, const SessionStates& states, int64_t rows) {
    ChunkLists& lists = lists_[place];
    lists.rows = rows;
    lists.session.resize(rows);
    for (int64_t row = 0; row < rows; ++row) lists.session[row] = states.session(row);
    lists.exclusions.take(backend_, options_, states, rows);
    const Span<float> sums = softmax_ ? Span<float>{scores(lists) + room_ * options_.k, rows} : Span<float>{};
    if (options_.candidate_starts.empty()) {
      top_k(lists, states.hidden(), options_.k, {options_.restricted, candidates_.span()},
            lists.exclusions.view(0, rows), 0, sums);
    } else {
      rank_own_candidates(lists, states, sums);
    }
    if (!softmax_) {
      backend_.activate_scores(parameters_.spec().final_act, Matrix(scores(lists), rows, options_.k));
    }
    backend_.start_read(place, lists.words.data(), bytes());
  }

  /// Waits for the lists that start has begun, and puts them where their sessions stand in `result`.
  void finish(int place, Recommendations& result) {
    ChunkLists& lists = lists_[place];
    lists.host.resize(lists.words.size());
    backend_.finish_read(place, bytes(), lists.host.data());
    const int64_t k = options_.k;
    const int32_t* items = lists.host.data();
    std::vector<float> values(lists.words.size() - room_ * k);
    std::memcpy(values.data(), items + room_ * k, values.size() * sizeof(float));
    for (int64_t row = 0; row < lists.rows; ++row) {
      const int64_t session = lists.session[row];
      if (k > 0 && items[row * k] == kNotFinite) throw_not_finite(session);
      for (int64_t place_in_list = 0; place_in_list < k; ++place_in_list) {
        const int64_t from = row * k + place_in_list, to = session * k + place_in_list;
        result.items[to] = items[from];
        if (items[from] == kNoItem) continue;
        result.scores[to] = softmax_ ? std::exp(values[from] - values[room_ * k + row]) : values[from];
      }
    }
  }

 private:
  float* scores(const ChunkLists& lists) const {
    return reinterpret_cast<float*>(lists.words.data() + room_ * options_.k);
  }
  int64_t bytes() const { return room_ * (2 * options_.k + 1) * static_cast<int64_t>(sizeof(int32_t)); }

  /// Fills the lists of the rows from `first` on, `k` places each.
  void top_k(const ChunkLists& lists, ConstMatrix hidden, int64_t k, const Candidates& candidates,
             const Exclusions& exclusions, int64_t first, Span<float> log_sum_exp) {
    backend_.top_k(hidden, parameters_.output_weight(), parameters_.output_bias(), k, candidates, exclusions,
                   lists.words.span().range(first * k, hidden.rows * k),
                   Matrix(scores(lists) + first * k, hidden.rows, k), log_sum_exp);
  }

  /// Row by row, as no two have the same candidates. The sums of a softmax, which are over all items, come first.
  void rank_own_candidates(const ChunkLists& lists, const SessionStates& states, Span<float> sums) {
    if (softmax_) top_k(lists, states.hidden(), 1, Candidates{}, Exclusions{}, 0, sums);
    for (int64_t row = 0; row < lists.rows; ++row) {
      const int64_t session = lists.session[row], begin = options_.candidate_starts[session];
      const int64_t count = options_.candidate_starts[session + 1] - begin;
      top_k(lists, states.hidden().row_range(row, 1), options_.k, {true, candidates_.span().range(begin, count)},
            lists.exclusions.view(row, 1), row, {});
    }
  }

  const Parameters& parameters_;
  Backend& backend_;
  const RecommendOptions& options_;
  bool softmax_;
  int64_t room_;  ///< rows of a chunk
  Array<int32_t> candidates_;
  ChunkLists lists_[kReadPlaces];
};

}  // namespace

Recommendations recommend(const Parameters& parameters, const Sessions& sessions, const RecommendOptions& options,
                          const Cancellation& cancellation) {
  const ModelSpec& spec = parameters.spec();
  const int64_t k = options.k, count = sessions.count();
  constexpr int64_t kMostWords = 2'000'000;  // of the lists of a chunk, which are on their way while the next are made
  const int64_t at_once = std::min(rows_per_ranking(parameters.backend(), spec), kMostWords / (2 * k + 1));
  const int64_t chunk = std::max<int64_t>(1, std::min(at_once, count));
  SessionStates states(parameters, chunk);
  ChunkRanking ranking(parameters, options, chunk);

  Recommendations result{std::vector<int32_t>(count * k), std::vector<float>(count * k)};
  int place = 0;
  for (int64_t first = 0; first < count; first += chunk, place = 1 - place) {
    cancellation.check();
    const int64_t rows = std::min(chunk, count - first);
    states.read(sessions, first, rows, cancellation);
    ranking.start(place, states, rows);
    if (first > 0) ranking.finish(1 - place, result);
  }
  if (count > 0) ranking.finish(1 - place, result);
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
