#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/parameter_layout.h"
#include "core/philox.h"
#include "core/sampling_table.h"
#include "core/schedule.h"
#include "harness.h"
#include "reference/random.h"
#include "reference/schedule.h"

namespace gru4rec::test {

namespace {

template <class T>
Span<const T> span(const std::vector<T>& elements) {
  return {elements.data(), static_cast<int64_t>(elements.size())};
}

template <class T>
std::vector<T> list(Span<const T> elements) {
  return {elements.begin(), elements.end()};
}

// --- Random numbers -------------------------------------------------------------------------------------------------

/// A Philox block of the engine, by the words of key and counter.
void check_block(uint32_t k0, uint32_t k1, const reference::Words& counter, const reference::Words& expected) {
  const RandomStream stream{uint64_t{k1} << 32 | k0, uint64_t{counter[3]} << 32 | counter[2], counter[1]};
  const PhiloxBlock block = philox(stream, counter[0]);
  for (int i = 0; i < 4; ++i) {
    CHECK_EQUAL(expected[i], block.word[i]);
    CHECK_EQUAL(expected[i], reference::philox(k0, k1, counter)[i]);
  }
}

}  // namespace

TEST_CASE("philox: the known answers of Random123 (kat_vectors, philox4x32 10)") {
  check_block(0, 0, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  check_block(0xffffffff, 0xffffffff, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
              {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  // The digits of pi.
  check_block(0xa4093822, 0x299f31d0, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
              {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random numbers: words and 64-bit numbers by index, of every purpose, step and layer") {
  Data data(1);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t seed = static_cast<uint64_t>(data.integer(0, INT64_MAX - 1)) * 2 + 1;
    const uint64_t step = static_cast<uint64_t>(data.integer(0, int64_t{1} << 40));
    const uint64_t index = static_cast<uint64_t>(data.integer(0, (int64_t{1} << 33) - 1));
    const uint32_t layer = static_cast<uint32_t>(data.integer(0, 7));
    const RandomStream stream = random_stream(seed, Purpose::hidden_dropout, step, layer);
    CHECK_EQUAL(3 + 256 * layer, stream.purpose);
    CHECK_EQUAL(reference::word(seed, 3 + 256 * layer, step, index), random_word(stream, index));
    CHECK_EQUAL(reference::number64(seed, 3 + 256 * layer, step, index), random_uint64(stream, index));
  }
}

TEST_CASE("dropout: threshold and factor of docs/random.md") {
  for (const double p : {0.0, 1e-8, 0.1, 0.25, 0.5, 0.9, 0.9999}) {
    const Context context("p=" + show(p));
    const Dropout dropout = make_dropout(p, random_stream(1, Purpose::input_dropout, 0));
    const uint32_t threshold = static_cast<uint32_t>(std::floor(p * 16777216.0 + 0.5));
    CHECK_EQUAL(threshold, dropout.threshold);
    CHECK_EQUAL(static_cast<float>(1.0 / (1.0 - p)), dropout.scale);
    CHECK_EQUAL(threshold > 0, dropout.active());
    if (threshold > 0) CHECK_EQUAL(0.0f, dropout_factor(dropout, (threshold << 8) - 1));
    CHECK_EQUAL(dropout.scale, dropout_factor(dropout, threshold << 8));
  }
}

TEST_CASE("shuffle: a permutation, that of docs/random.md, another one in every epoch") {
  for (const int64_t count : {0, 1, 2, 3, 31, 33, 257, 10000})
    for (const uint64_t epoch : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 35}) {
      const Context context("S=" + std::to_string(count) + " epoch=" + std::to_string(epoch));
      std::vector<int32_t> order(count);
      std::iota(order.begin(), order.end(), 0);
      const std::vector<int32_t> sorted = order;
      shuffle(random_stream(99, Purpose::shuffle, epoch), {order.data(), count});
      CHECK_BITS(reference::shuffled(99, epoch, count), order);
      if (count > 30) CHECK(order != sorted && order != reference::shuffled(99, epoch + 1, count));
      std::sort(order.begin(), order.end());
      CHECK_BITS(sorted, order);
    }
}

// --- Sampling table -------------------------------------------------------------------------------------------------

TEST_CASE("sampling table: shares of docs/random.md, and the guide finds what a scan finds") {
  Data data(2);
  std::vector<std::vector<uint32_t>> supports{{1}, {4000000000u}, {1, 1}, {1, 4000000000u}, {4000000000u, 1, 1}};
  supports.push_back(std::vector<uint32_t>(1000, 7));  // equal
  supports.push_back({4000000000u});                   // one item above all others
  supports.back().resize(3000, 1);
  supports.emplace_back();
  for (int i = 0; i < 500; ++i) supports.back().push_back(static_cast<uint32_t>(data.integer(1, 100000)));
  for (const std::vector<uint32_t>& support : supports)
    for (const double alpha : {0.0, 0.5, 1.0, 4.0}) {
      const Context context("I=" + std::to_string(support.size()) + " alpha=" + show(alpha));
      const SamplingTable table(span(support), alpha);
      const std::vector<uint64_t> shares = reference::cumulative_shares(support, alpha);
      CHECK_BITS(shares, table.cumulative());
      const auto check = [&](uint64_t u) {
        CHECK_EQUAL(reference::find_item(shares, u), sample_item(table.view(), u));
      };
      check(0);
      check(UINT64_MAX);
      for (const uint64_t share : shares) {
        check(share - 1);
        check(share);
        if (share < UINT64_MAX) check(share + 1);
      }
      for (int i = 0; i < 1000; ++i) check(reference::number64(5, 4, 0, i));
      const uint64_t buckets = uint64_t{1} << table.view().guide_bits;
      for (uint64_t bucket = 0; bucket < std::min<uint64_t>(buckets, 300); ++bucket) {
        const uint64_t first = bucket << (64 - table.view().guide_bits);
        check(first);
        check(first - 1);
      }
    }
}

TEST_CASE("sampling table: no items is an error") { CHECK_THROWS(Error, SamplingTable(Span<const uint32_t>(), 0.5)); }

// --- Schedule -------------------------------------------------------------------------------------------------------

namespace {

/// Sessions as the engine reads them, with an order that shows some of them.
struct RandomSessions {
  std::vector<int32_t> items, offsets{0}, order;

  RandomSessions(Data& data, int64_t count, int64_t longest) {
    int32_t event = 0;  // every event another item: a mix-up cannot hide
    for (int64_t s = 0; s < count; ++s) {
      const int64_t length = data.integer(0, longest);
      for (int64_t e = 0; e < length; ++e) items.push_back(event++);
      offsets.push_back(event);
      order.push_back(static_cast<int32_t>(s));
    }
    for (int64_t s = count - 1; s > 0; --s) std::swap(order[s], order[data.integer(0, s)]);
    if (count > 3 && data.integer(0, 3) == 0) order.resize(count / 2);
  }

  Sessions view() const { return {span(items), span(offsets)}; }
  std::vector<std::vector<int32_t>> in_order() const {
    std::vector<std::vector<int32_t>> out;
    for (const int32_t s : order) out.emplace_back(items.begin() + offsets[s], items.begin() + offsets[s + 1]);
    return out;
  }
};

}  // namespace

TEST_CASE("schedule: agrees with walking the sessions one by one, in 5000 random cases") {
  Data data(3);
  for (int i = 0; i < 5000; ++i) {
    const RandomSessions sessions(data, data.integer(0, 14), data.integer(1, 8));
    const int64_t batch = data.integer(1, 10), min_active = data.integer(1, 2);
    const Context context("case " + std::to_string(i) + " B=" + std::to_string(batch));
    const std::vector<reference::ScheduledStep> expected = reference::schedule(sessions.in_order(), batch, min_active);
    SessionsInOrder in_order(sessions.view(), span(sessions.order));
    Schedule schedule(in_order, batch, min_active);
    ScheduleStep step;
    for (const reference::ScheduledStep& one : expected) {
      CHECK(schedule.next(step));
      CHECK_BITS(one.input, list(step.input));
      CHECK_BITS(one.target, list(step.target));
      CHECK_BITS(one.source, list(step.source));
    }
    CHECK(!schedule.next(step));
  }
}

TEST_CASE("schedule: until no row is left, every pair of every session comes once, in order, on one row's state") {
  Data data(4);
  for (int i = 0; i < 300; ++i) {
    const RandomSessions sessions(data, 40, 6);
    const int64_t batch = data.integer(1, 50);
    SessionsInOrder in_order(sessions.view(), span(sessions.order));
    Schedule schedule(in_order, batch, 1);
    std::vector<int32_t> pairs;         // inputs seen; the target is the next event
    std::vector<int32_t> held, before;  // the event that each row's state has read last
    ScheduleStep step;
    while (schedule.next(step)) {
      held.clear();
      for (int64_t row = 0; row < step.input.size; ++row) {
        CHECK_EQUAL(step.input[row] + 1, step.target[row]);
        // A state goes on with the event that it predicted; a session starts from zeros.
        const bool starts = std::binary_search(sessions.offsets.begin(), sessions.offsets.end(), step.input[row]);
        CHECK_EQUAL(starts, step.source[row] == -1);
        if (step.source[row] >= 0) CHECK_EQUAL(step.input[row] - 1, before[step.source[row]]);
        held.push_back(step.input[row]);
        pairs.push_back(step.input[row]);
      }
      CHECK(step.input.size <= batch);
      before = held;
    }
    std::vector<int32_t> expected;
    for (const std::vector<int32_t>& session : sessions.in_order())
      for (size_t e = 0; e + 1 < session.size(); ++e) expected.push_back(session[e]);
    std::sort(expected.begin(), expected.end());
    std::sort(pairs.begin(), pairs.end());
    CHECK_BITS(expected, pairs);
  }
}

// --- Parameters -----------------------------------------------------------------------------------------------------

namespace {

std::vector<ModelSpec> all_specs() {
  std::vector<ModelSpec> specs;
  for (const EmbeddingMode mode : {EmbeddingMode::none, EmbeddingMode::separate, EmbeddingMode::shared})
    for (const bool reset_after : {false, true})
      for (const std::vector<int64_t>& layers : {std::vector<int64_t>{1}, {31}, {33, 7, 20}}) {
        ModelSpec spec;
        spec.items = 57;
        spec.layers = layers;
        spec.embedding = mode;
        spec.embedding_size = 13;
        spec.reset_after = reset_after;
        specs.push_back(spec);
      }
  return specs;
}

/// A weight as docs/random.md states it.
float weight(uint64_t seed, uint64_t tensor, uint64_t index, double bound, bool normal) {
  if (normal) {
    const uint64_t pair = reference::number64(seed, 1, tensor, index);
    const double u = (static_cast<double>(pair & 0xFFFFFFFFu) + 0.5) / 4294967296.0;
    const double v = static_cast<double>(pair >> 32) / 4294967296.0;
    return static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::acos(-1.0) * v) * bound);
  }
  const double w = static_cast<double>(reference::word(seed, 1, tensor, index) >> 8);
  return static_cast<float>((2.0 * w + 1.0 - 16777216.0) / 16777216.0) * static_cast<float>(bound);
}

}  // namespace

TEST_CASE("parameter layout: aligned, in order, disjoint, dense part first, tensors of the stated shapes") {
  for (const ModelSpec& spec : all_specs()) {
    const ParameterLayout layout(spec);
    int64_t end = 0;
    bool tables = false;
    for (const TensorSpec& tensor : layout.tensors()) {
      const Context context(tensor.name);
      CHECK_EQUAL(0, tensor.offset % ParameterLayout::kAlignment);
      CHECK(tensor.offset >= end && tensor.offset < end + ParameterLayout::kAlignment);
      CHECK(tensor.size() > 0);
      CHECK_EQUAL(tensor.table, tensor.offset >= layout.dense_size());
      tables = tables || tensor.table;
      CHECK_EQUAL(tables, tensor.table);
      end = tensor.offset + tensor.size();
      if (!tensor.table) CHECK(end <= layout.dense_size());
    }
    CHECK(end <= layout.size());

    for (size_t l = 0; l < spec.layers.size(); ++l) {
      const LayerTensors& layer = layout.layer(static_cast<int64_t>(l));
      const int64_t h = spec.layers[l], in = spec.layer_input(static_cast<int64_t>(l));
      const std::string prefix = "layers." + std::to_string(l) + ".";
      const auto check = [&](const TensorSpec& tensor, const std::string& name, int64_t rows, int64_t cols) {
        CHECK_EQUAL(prefix + name, tensor.name);
        CHECK_EQUAL(rows, tensor.rows);
        CHECK_EQUAL(cols, tensor.cols);
      };
      check(layer.candidate, "candidate.weight", h + in, h);
      check(layer.gates, "gates.weight", in + h, 2 * h);
      check(layer.bias, "bias", 1, 3 * h);
      CHECK_EQUAL(spec.reset_after ? h : 0, layer.candidate_hidden_bias.size());
    }
    CHECK_EQUAL(spec.items, layout.output_weight().rows);
    CHECK_EQUAL(spec.hidden(), layout.output_weight().cols);
    CHECK_EQUAL(spec.items, layout.output_bias().size());
    const int64_t input_width = spec.embedding == EmbeddingMode::none       ? 3 * spec.layers[0]
                                : spec.embedding == EmbeddingMode::separate ? spec.embedding_size
                                                                            : 0;
    CHECK_EQUAL(input_width, layout.input_table().cols);
  }
}

TEST_CASE("initial weights: the numbers of docs/random.md, biases and paddings zero") {
  const uint64_t seed = 0x123456789ABCDEFu;
  for (const ModelSpec& spec : all_specs())
    for (const double sigma : {0.0, 0.2})
      for (const bool normal : {false, true}) {
        const ParameterLayout layout(spec);
        std::vector<float> arena(layout.size(), -1.0f), expected(layout.size(), 0.0f);
        initialise(spec, layout, {sigma, normal, seed}, arena.data());

        const auto put = [&](const TensorSpec& tensor, int64_t first, int64_t count, uint64_t number, int64_t rows,
                             int64_t cols) {
          const double bound = sigma > 0.0 ? sigma : std::sqrt(6.0 / static_cast<double>(rows + cols));
          for (int64_t i = first * tensor.cols; i < (first + count) * tensor.cols; ++i)
            expected[tensor.offset + i] = weight(seed, number, static_cast<uint64_t>(i), bound, normal);
        };
        const TensorSpec &wy = layout.output_weight(), &table = layout.input_table();
        put(wy, 0, wy.rows, 1, spec.items, spec.hidden());
        if (table.size() > 0)
          put(table, 0, table.rows, 2, spec.items,
              spec.embedding == EmbeddingMode::none ? spec.layers[0] : spec.embedding_size);
        for (size_t l = 0; l < spec.layers.size(); ++l) {
          const LayerTensors& layer = layout.layer(static_cast<int64_t>(l));
          const int64_t h = spec.layers[l], in = spec.layer_input(static_cast<int64_t>(l));
          put(layer.candidate, 0, h, 16 + 2 * l, h, h);
          put(layer.candidate, h, in, 16 + 2 * l, in, h);
          put(layer.gates, 0, in, 17 + 2 * l, in, h);
          put(layer.gates, in, h, 17 + 2 * l, h, h);
        }
        if (normal) {
          // Logarithm and cosine may differ in the last place of float64, so the float may, too.
          for (size_t i = 0; i < arena.size(); ++i)
            CHECK_NEAR(expected[i], arena[i], std::abs(double{expected[i]}) * 2.0 * reference::kUnit);
        } else {
          CHECK_BITS(expected, arena);
        }

        std::vector<float> again(layout.size(), 3.0f), other(layout.size());
        initialise(spec, layout, {sigma, normal, seed}, again.data());
        initialise(spec, layout, {sigma, normal, seed + 1}, other.data());
        CHECK_BITS(arena, again);
        CHECK(arena != other);
      }
}

TEST_CASE("initial weights: uniform ones fill their bounds, normal ones have the stated deviation") {
  ModelSpec spec;
  spec.items = 2000;
  spec.layers = {50};
  const ParameterLayout layout(spec);
  const TensorSpec& wy = layout.output_weight();
  std::vector<float> arena(layout.size());
  const auto moments = [&] {
    double sum = 0.0, squares = 0.0, largest = 0.0;
    for (int64_t i = 0; i < wy.size(); ++i) {
      const double w = arena[wy.offset + i];
      sum += w;
      squares += w * w;
      largest = std::max(largest, std::abs(w));
    }
    const double n = static_cast<double>(wy.size());
    return std::array<double, 3>{sum / n, squares / n, largest};
  };
  const double n = static_cast<double>(wy.size()), bound = std::sqrt(6.0 / 2050.0);
  initialise(spec, layout, {0.0, false, 7}, arena.data());
  const auto [mean, square, largest] = moments();
  // Four standard errors each; the square of a uniform number has the variance 4 b^4 / 45.
  CHECK_NEAR(0.0, mean, 4.0 * bound / std::sqrt(3.0 * n));
  CHECK_NEAR(bound * bound / 3.0, square, 4.0 * bound * bound * std::sqrt(4.0 / 45.0 / n));
  CHECK(largest <= bound * (1.0 + reference::kUnit) && largest > bound * 0.999);
  initialise(spec, layout, {0.3, true, 7}, arena.data());
  const auto [normal_mean, normal_square, normal_largest] = moments();
  CHECK_NEAR(0.0, normal_mean, 4.0 * 0.3 / std::sqrt(n));
  CHECK_NEAR(0.09, normal_square, 4.0 * 0.09 * std::sqrt(2.0 / n));
  CHECK(normal_largest > 0.9);
}

}  // namespace gru4rec::test
