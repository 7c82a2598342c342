#include <algorithm>
#include <cmath>
#include <limits>

#include "harness.h"
#include "reference/loss.h"
#include "reference/ranking.h"
#include "reference/scores.h"

namespace gru4rec::test {

namespace {

using namespace reference;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

/// A hidden state per row and the output layer, on the host and on a back end.
struct Setup {
  Setup(Backend& backend, const Table<float>& hidden_, const Table<float>& weight_, const Table<float>& bias_,
        int64_t gap = 0)
      : hidden(hidden_),
        weight(weight_),
        bias(bias_),
        device_hidden(backend, hidden, 5),
        device_weight(backend, weight, gap),
        device_bias(backend, bias, gap) {}

  int64_t rows() const { return hidden.rows; }
  int64_t items() const { return weight.rows; }
  /// Scores of all items, row by row.
  std::vector<std::vector<Number>> scores() const {
    const Table<Number> all =
        reference::scores(as<Number>(hidden), as<Number>(weight), as<Number>(bias), all_items(items()));
    std::vector<std::vector<Number>> out;
    for (int64_t i = 0; i < rows(); ++i) out.push_back(block(all, i, 1, 0, items()).data);
    return out;
  }

  Table<float> hidden, weight, bias;
  DeviceMatrix device_hidden, device_weight, device_bias;
};

/// Scores whose sums are exact in float32, with many equal ones; every third item is a copy of item 0.
Setup tied(Backend& backend, Data& data, int64_t rows, int64_t width, int64_t items) {
  const Table<float> hidden = data.quantised(rows, width, 2);
  Table<float> weight = data.quantised(items, width, 2), bias = data.quantised(items, 1, 1);
  for (int64_t j = 0; j < items; j += 3) {
    place(block(weight, 0, 1, 0, width), j, 0, weight);
    bias(j, 0) = bias(0, 0);
  }
  return Setup(backend, hidden, weight, bias);
}

Setup untied(Backend& backend, Data& data, int64_t rows, int64_t width, int64_t items) {
  return Setup(backend, data.table(rows, width, 1.0), data.table(items, width, 1.0), data.table(items, 1, 1.0), 3);
}

/// Every `step`-th item from `first` on.
std::vector<int32_t> every(int64_t items, int64_t first, int64_t step) {
  std::vector<int32_t> out;
  for (int64_t j = first; j < items; j += step) out.push_back(static_cast<int32_t>(j));
  return out;
}

/// All items, none, one, and some; with targets drawn from all items, lists both hold and lack them.
struct NamedCandidates {
  std::string name;
  bool restricted;
  std::vector<int32_t> items;
};

std::vector<NamedCandidates> candidate_lists(int64_t items) {
  return {{"all", false, all_items(items)},
          {"none", true, {}},
          {"one", true, {static_cast<int32_t>(items / 2)}},
          {"every second", true, every(items, 0, 2)},
          {"every fifth", true, every(items, 1, 5)},
          {"all of a list", true, all_items(items)}};
}

/// The list on a back end; an empty one is a null pointer, as an Array of no elements is.
Candidates on_device(const NamedCandidates& candidates, const DeviceVector<int32_t>& list) {
  if (!candidates.restricted || candidates.items.empty()) return {candidates.restricted, {}};
  return {true, list.span()};
}

struct Ranks {
  std::vector<int32_t> greater, equal;
};

Ranks target_ranks(Backend& backend, const Setup& setup, const std::vector<int32_t>& targets,
                   const NamedCandidates& candidates) {
  const DeviceVector<int32_t> device_targets(backend, targets), list(backend, candidates.items);
  const DeviceVector<int32_t> greater(backend, setup.rows()), equal(backend, setup.rows());
  backend.target_ranks(setup.device_hidden, setup.device_weight, setup.device_bias, device_targets.span(),
                       on_device(candidates, list), greater.span(), equal.span());
  return {greater.download(), equal.download()};
}

struct Lists {
  std::vector<int32_t> items;
  Table<float> scores;
  std::vector<float> log_sum_exp;
};

/// @param excluded  ascending items of each row; empty = no exclusions at all.
Lists top_k(Backend& backend, const Setup& setup, int64_t k, const NamedCandidates& candidates,
            const std::vector<std::vector<int32_t>>& excluded, bool wants_sum) {
  std::vector<int64_t> starts;
  std::vector<int32_t> flat;
  if (!excluded.empty()) starts.push_back(0);
  for (const std::vector<int32_t>& row : excluded) {
    flat.insert(flat.end(), row.begin(), row.end());
    starts.push_back(static_cast<int64_t>(flat.size()));
  }
  const DeviceVector<int64_t> device_starts(backend, starts);
  const DeviceVector<int32_t> device_excluded(backend, flat), list(backend, candidates.items);
  const DeviceVector<int32_t> items(backend, setup.rows() * k);
  DeviceMatrix scores(backend, setup.rows(), k, 3);
  const DeviceVector<float> sums(backend, wants_sum ? setup.rows() : 0);
  Exclusions exclusions;
  if (!excluded.empty()) exclusions = {device_starts.span(), device_excluded.span()};
  backend.top_k(setup.device_hidden, setup.device_weight, setup.device_bias, k, on_device(candidates, list), exclusions,
                items.span(), scores, wants_sum ? sums.span() : Span<float>());
  return {items.download(), scores.download(), sums.download()};
}

/// Compares lists with sorting, for scores that are exact.
void compare_lists(const Setup& setup, int64_t k, const NamedCandidates& candidates,
                   const std::vector<std::vector<int32_t>>& excluded, const Lists& received) {
  const std::vector<std::vector<Number>> scores = setup.scores();
  for (int64_t i = 0; i < setup.rows(); ++i) {
    const Context row("row " + std::to_string(i));
    const std::vector<int32_t> expected =
        best(scores[i], candidates.items, excluded.empty() ? std::vector<int32_t>() : excluded[i], k);
    for (int64_t place = 0; place < k; ++place) {
      const int32_t item = received.items[i * k + place];
      if (place < static_cast<int64_t>(expected.size())) {
        CHECK_EQUAL(expected[place], item);
        CHECK_EQUAL(scores[i][expected[place]].value, double{received.scores(i, place)});
      } else {
        CHECK_EQUAL(kNoItem, item);
      }
    }
    if (!received.log_sum_exp.empty()) {
      const Number best_score = *std::max_element(scores[i].begin(), scores[i].end());
      const Number sum = log_sum_exp(minus_maximum(scores[i])) + best_score;
      CHECK_NEAR(sum.value, received.log_sum_exp[i], kSlack * sum.error);
    }
  }
}

constexpr int64_t kShapes[][3] = {{0, 31, 7},   {1, 1, 1},     {31, 33, 2},   {33, 31, 33},
                                  {257, 1, 31}, {33, 32, 257}, {2, 100, 5000}};

}  // namespace

OPERATION_TEST("target_ranks: exact counts where ties are everywhere, for every candidate list") {
  Data data(1);
  for (const auto& [rows, width, items] : kShapes) {
    const Setup setup = tied(backend, data, rows, width, items);
    const std::vector<std::vector<Number>> scores = setup.scores();
    const std::vector<int32_t> targets = data.items(rows, items);
    int64_t ties = 0;
    for (const NamedCandidates& candidates : candidate_lists(items)) {
      const Context context("M, D, I = " + sizes({rows, width, items}) + " candidates " + candidates.name);
      const Ranks received = target_ranks(backend, setup, targets, candidates);
      for (int64_t i = 0; i < rows; ++i) {
        const RankBounds expected = rank(exact(scores[i]), targets[i], candidates.items);
        CHECK_EQUAL(expected.greater_least, received.greater[i]);
        CHECK_EQUAL(expected.equal_least, received.equal[i]);
        ties += expected.equal_least;
      }
    }
    if (rows > 1 && items > 30) CHECK(ties > rows);
  }
}

OPERATION_TEST("target_ranks: any scores, within what float32 can tell apart; copies of the target are equal to it") {
  Data data(2);
  for (const auto& [rows, width, items] : kShapes) {
    Setup setup = untied(backend, data, rows, width, items);
    // Items 2j and 2j + 1 are the same.
    for (int64_t j = 0; j + 1 < items; j += 2) {
      place(block(setup.weight, j, 1, 0, width), j + 1, 0, setup.weight);
      setup.bias(j + 1, 0) = setup.bias(j, 0);
    }
    setup.device_weight.upload(setup.weight);
    setup.device_bias.upload(setup.bias);
    const std::vector<std::vector<Number>> scores = setup.scores();
    const std::vector<int32_t> targets = data.items(rows, items);
    for (const NamedCandidates& candidates : candidate_lists(items)) {
      const Context context("M, D, I = " + sizes({rows, width, items}) + " candidates " + candidates.name);
      const Ranks received = target_ranks(backend, setup, targets, candidates);
      for (int64_t i = 0; i < rows; ++i) {
        const RankBounds bounds = rank(scores[i], targets[i], candidates.items);
        CHECK(received.greater[i] >= bounds.greater_least && received.greater[i] <= bounds.greater_most);
        CHECK(received.equal[i] <= bounds.equal_most);
        const int32_t copy = targets[i] ^ 1;
        const bool rival = std::find(candidates.items.begin(), candidates.items.end(), copy) != candidates.items.end();
        CHECK(received.equal[i] >= (rival ? 1 : 0));
      }
    }
  }
}

OPERATION_TEST("top_k: exact lists where ties are everywhere, for every candidate list, k up to all items") {
  Data data(3);
  for (const auto& [rows, width, items] : kShapes) {
    const Setup setup = tied(backend, data, rows, width, items);
    for (const int64_t k : {int64_t{1}, int64_t{2}, int64_t{20}, int64_t{33}, items}) {
      if (k > items) continue;
      for (const NamedCandidates& candidates : candidate_lists(items)) {
        const Context context("M, D, I = " + sizes({rows, width, items}) + " k=" + std::to_string(k) + " candidates " +
                              candidates.name);
        const bool wants_sum = k % 2 == 1;
        compare_lists(setup, k, candidates, {}, top_k(backend, setup, k, candidates, {}, wants_sum));
      }
    }
  }
}

OPERATION_TEST("top_k: all scores equal give the lowest items") {
  const int64_t rows = 33, items = 257, k = 20;
  const Setup setup(backend, Table<float>(rows, 31, 0.5f), Table<float>(items, 31, 0.25f),
                    Table<float>(items, 1, 1.0f));
  const Lists received = top_k(backend, setup, k, {"all", false, all_items(items)}, {}, false);
  for (int64_t i = 0; i < rows * k; ++i) CHECK_EQUAL(static_cast<int32_t>(i % k), received.items[i]);
}

OPERATION_TEST("top_k: excluded items are left out row by row, up to nothing left") {
  Data data(4);
  const int64_t rows = 33, items = 257;
  const Setup setup = tied(backend, data, rows, 32, items);
  std::vector<std::vector<int32_t>> excluded(rows);
  for (int64_t i = 0; i < rows; ++i) {
    if (i % 4 == 1) excluded[i] = {best(setup.scores()[i], all_items(items), {}, 1)[0]};
    if (i % 4 == 2) excluded[i] = every(items, i % 3, 2);
    if (i % 4 == 3) excluded[i] = all_items(items);
  }
  for (const int64_t k : {int64_t{1}, int64_t{20}, items})
    for (const NamedCandidates& candidates : candidate_lists(items)) {
      const Context context("k=" + std::to_string(k) + " candidates " + candidates.name);
      compare_lists(setup, k, candidates, excluded, top_k(backend, setup, k, candidates, excluded, true));
    }
}

OPERATION_TEST("rankings: 40,000 items, all of them listed") {
  // More than a ranking takes at once, in rows and in items.
  Data data(7);
  const int64_t rows = 110, items = 40000;
  const Setup setup = tied(backend, data, rows, 1, items);
  const NamedCandidates all{"all", false, all_items(items)};
  compare_lists(setup, items, all, {}, top_k(backend, setup, items, all, {}, true));
  const std::vector<int32_t> targets = data.items(rows, items);
  const Ranks ranks = target_ranks(backend, setup, targets, all);
  const std::vector<std::vector<Number>> scores = setup.scores();
  for (int64_t i = 0; i < rows; ++i) {
    const RankBounds expected = rank(exact(scores[i]), targets[i], all.items);
    CHECK_EQUAL(expected.greater_least, ranks.greater[i]);
    CHECK_EQUAL(expected.equal_least, ranks.equal[i]);
  }
}

OPERATION_TEST("top_k: excluded items of many rows") {
  // More rows than are listed together: each has its own exclusions all the same.
  Data data(9);
  const int64_t rows = 110, items = 40000, k = 20;
  const Setup setup = tied(backend, data, rows, 1, items);
  std::vector<std::vector<int32_t>> excluded(rows);
  for (int64_t i = 0; i < rows; ++i) excluded[i] = every(items, i % 5, 2 + i % 3);
  const NamedCandidates all{"all", false, all_items(items)};
  compare_lists(setup, k, all, excluded, top_k(backend, setup, k, all, excluded, false));
}

PRODUCT_TEST("rankings: -0 and 0 are equal") {
  // Products too small for a float are 0 with their sign, which a bias of -0 leaves them.
  const int64_t items = 9, k = 9, width = 32;
  Table<float> weight(items, width, 1e-30f);
  for (int64_t j = 0; j < items; j += 2)
    for (int64_t d = 0; d < width; ++d) weight(j, d) = -1e-30f;
  const Setup setup(backend, Table<float>(2, width, 1e-30f), weight, Table<float>(items, 1, -0.0f));
  const NamedCandidates all{"all", false, all_items(items)};
  const Lists lists = top_k(backend, setup, k, all, {}, false);
  const Ranks ranks = target_ranks(backend, setup, {0, 1}, all);
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t place = 0; place < k; ++place) CHECK_EQUAL(static_cast<int32_t>(place), lists.items[i * k + place]);
    CHECK_EQUAL(0, ranks.greater[i]);
    CHECK_EQUAL(static_cast<int32_t>(items - 1), ranks.equal[i]);
  }
}

OPERATION_TEST("target_ranks: a target whose score is not finite marks its row, also where it is no candidate") {
  Data data(10);
  const int64_t rows = 33, items = 100;
  const Setup clean = tied(backend, data, rows, 8, items);
  Table<float> bias = clean.bias;
  bias(3, 0) = kNan;
  const Setup setup(backend, clean.hidden, clean.weight, bias);
  std::vector<int32_t> targets(rows, 5);
  targets[0] = targets[32] = 3;
  const Ranks ranks = target_ranks(backend, setup, targets, {"every second", true, every(items, 0, 2)});
  for (int64_t i = 0; i < rows; ++i) {
    CHECK_EQUAL(targets[i] == 3, ranks.greater[i] == kNotFinite);
    CHECK_EQUAL(targets[i] == 3, ranks.equal[i] == kNotFinite);
  }
}

OPERATION_TEST("rankings: 70,000 items for a few rows, lists of every length") {
  // More items than are looked at together, so that the best of one part have to outlast the next.
  Data data(8);
  const int64_t rows = 3, items = 70000;
  const Setup setup = tied(backend, data, rows, 2, items);
  const std::vector<std::vector<Number>> scores = setup.scores();
  const std::vector<int32_t> targets{0, 69999, 65600};
  const std::vector<std::vector<int32_t>> excluded{{}, {0, 3, 66000, 69999}, every(items, 0, 997)};
  for (const NamedCandidates& candidates :
       {NamedCandidates{"all", false, all_items(items)}, NamedCandidates{"every second", true, every(items, 1, 2)},
        NamedCandidates{"nearly all", true, every(items - 5, 2, 1)}}) {
    const Context list("candidates " + candidates.name);
    const Ranks ranks = target_ranks(backend, setup, targets, candidates);
    for (int64_t i = 0; i < rows; ++i) {
      const RankBounds expected = rank(exact(scores[i]), targets[i], candidates.items);
      CHECK_EQUAL(expected.greater_least, ranks.greater[i]);
      CHECK_EQUAL(expected.equal_least, ranks.equal[i]);
    }
    for (const int64_t k : {int64_t{1}, int64_t{20}, int64_t{1024}, int64_t{1025}, items}) {
      const Context context("k=" + std::to_string(k));
      compare_lists(setup, k, candidates, excluded, top_k(backend, setup, k, candidates, excluded, k == 20));
    }
  }
}

OPERATION_TEST("top_k: any scores, best first, nothing better left out") {
  Data data(5);
  for (const auto& [rows, width, items] : kShapes) {
    const Setup setup = untied(backend, data, rows, width, items);
    const std::vector<std::vector<Number>> scores = setup.scores();
    const int64_t k = std::min<int64_t>(items, 20);
    const Context context("M, D, I = " + sizes({rows, width, items}));
    const Lists received = top_k(backend, setup, k, {"all", false, all_items(items)}, {}, true);
    for (int64_t i = 0; i < rows; ++i) {
      std::vector<bool> listed(items);
      for (int64_t place = 0; place < k; ++place) {
        const int32_t item = received.items[i * k + place];
        CHECK(item >= 0 && item < items && !listed[item]);
        listed[item] = true;
        CHECK_NEAR(scores[i][item].value, received.scores(i, place), kSlack * scores[i][item].error);
        if (place > 0) CHECK(received.scores(i, place - 1) >= received.scores(i, place));
      }
      const float last = received.scores(i, k - 1);
      for (int64_t j = 0; j < items; ++j)
        if (!listed[j]) CHECK(scores[i][j].value <= double{last} + kSlack * scores[i][j].error);
    }
  }
}

OPERATION_TEST("rankings: a score that is not finite marks its row, and only that") {
  Data data(6);
  const int64_t rows = 35, width = 32, items = 300, k = 20;
  const NamedCandidates all{"all", false, all_items(items)};
  const Setup clean = tied(backend, data, rows, width, items);
  const std::vector<int32_t> targets = data.items(rows, items);
  const Ranks ranks = target_ranks(backend, clean, targets, all);
  const Lists lists = top_k(backend, clean, k, all, {}, true);
  for (const float bad : {kNan, kInfinity, -kInfinity})
    for (const int64_t row : {0, 16, 34}) {
      const Context context("row " + std::to_string(row) + " " + show(bad));
      Table<float> hidden = clean.hidden;
      hidden(row, 3) = bad;  // weight(., 3) is 0 for some items: those scores are not numbers
      const Setup setup(backend, hidden, clean.weight, clean.bias);
      for (const NamedCandidates& candidates : {all, NamedCandidates{"every second", true, every(items, 0, 2)}}) {
        const Ranks received = target_ranks(backend, setup, targets, candidates);
        CHECK_EQUAL(kNotFinite, received.greater[row]);
        CHECK_EQUAL(kNotFinite, received.equal[row]);
        CHECK_EQUAL(kNotFinite, top_k(backend, setup, k, candidates, {}, false).items[row * k]);
      }
      const Ranks received = target_ranks(backend, setup, targets, all);
      const Lists received_lists = top_k(backend, setup, k, all, {}, true);
      for (int64_t i = 0; i < rows; ++i) {
        if (i == row) continue;
        CHECK_EQUAL(ranks.greater[i], received.greater[i]);
        CHECK_EQUAL(ranks.equal[i], received.equal[i]);
        CHECK_EQUAL(lists.log_sum_exp[i], received_lists.log_sum_exp[i]);
        for (int64_t place = 0; place < k; ++place)
          CHECK_EQUAL(lists.items[i * k + place], received_lists.items[i * k + place]);
      }
    }

  // A bias spoils one score of each row, wherever it stands in the table.
  for (const float bad : {kNan, kInfinity, -kInfinity})
    for (const int64_t item : {0, 150, 299}) {
      const Context context("item " + std::to_string(item) + " " + show(bad));
      Table<float> bias = clean.bias;
      bias(item, 0) = bad;
      const Setup setup(backend, clean.hidden, clean.weight, bias);
      const Ranks received = target_ranks(backend, setup, targets, all);
      const Lists received_lists = top_k(backend, setup, k, all, {}, false);
      for (int64_t i = 0; i < rows; ++i) {
        CHECK_EQUAL(kNotFinite, received.greater[i]);
        CHECK_EQUAL(kNotFinite, received.equal[i]);
        CHECK_EQUAL(kNotFinite, received_lists.items[i * k]);
      }
    }
}

}  // namespace gru4rec::test
