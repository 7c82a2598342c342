#include <cstring>

#include "core/sampling_table.h"
#include "device_layer.h"
#include "losses.h"
#include "reference/scores.h"

/// Bits: the same for every number of threads and on every run, and a row's the same whatever the other rows are.
namespace gru4rec::test {

namespace {

constexpr uint64_t kSeed = 5;

/// Everything that a run of operations wrote, in one string of bytes with the name of the operation before it.
class Record {
 public:
  template <class T>
  void add(const std::string& name, const std::vector<T>& values) {
    std::string bytes(values.size() * sizeof(T), '\0');
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    outputs_.push_back({name, bytes});
  }
  void add(const std::string& name, const DeviceMatrix& matrix) { add(name, matrix.download().data); }

  void compare(const Record& other) const {
    CHECK_EQUAL(outputs_.size(), other.outputs_.size());
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const Context context(outputs_[i].name);
      CHECK(outputs_[i].bytes == other.outputs_[i].bytes);
    }
  }

 private:
  struct Output {
    std::string name, bytes;
  };
  std::vector<Output> outputs_;
};

struct Sizes {
  int64_t rows, in, hidden, items, samples;
};

/// Calls every operation that computes, with the same data each time.
Record run_all(Backend& backend, const Sizes& size) {
  Record record;
  Data data(1);
  const int64_t m = size.rows, columns = m + size.samples;
  const std::vector<int32_t> host_items = data.items(columns + m, size.items);
  const DeviceVector<int32_t> items(backend, host_items);
  const Span<const int32_t> out_items = items.span().range(0, columns), in_items = items.span().range(columns, m);
  const Dropout dropout = make_dropout(0.3, random_stream(kSeed, Purpose::hidden_dropout, 4));
  const DeviceMatrix weight(backend, data.table(size.items, size.hidden, 1.0));
  const DeviceMatrix bias(backend, data.table(size.items, 1, 1.0));
  const DeviceMatrix embedding(backend, data.table(size.items, size.in, 1.0));
  const Table<float> state = data.table(m, size.hidden, 1.0), gradient = data.table(m, size.hidden, 1.0);
  const DeviceMatrix device_state(backend, state);
  std::vector<int32_t> host_source(m);
  for (int32_t& source : host_source) source = static_cast<int32_t>(data.integer(-1, m - 1));
  const DeviceVector<int32_t> source(backend, host_source);

  for (const bool reset_after : {false, true})
    for (const NamedActivation& named : elementwise_activations()) {
      DeviceLayer layer(backend, random_layer(data, size.in, size.hidden, reset_after, named.activation), m, 3);
      backend.gather_rows(embedding, in_items, dropout, layer.input());
      backend.carry_state(device_state, source.span(), layer.state());
      backend.gru_forward(layer.layer, {}, dropout, layer.trace(), layer.hidden);
      record.add("gru_forward trace", layer.joined);
      record.add("gru_forward gates", layer.activated);
      record.add("gru_forward", layer.hidden);
      DeviceMatrix flowing(backend, gradient);
      backend.gru_backward(layer.layer, layer.trace(), dropout, flowing, layer.gate_gradients, layer.input_gradient,
                           layer.state_gradient, layer.gradients());
      record.add("gru_backward gates", layer.gate_gradients);
      record.add("gru_backward input", layer.input_gradient);
      record.add("gru_backward state", layer.state_gradient);
      record.add("gru_backward candidate", layer.candidate_gradient);
      record.add("gru_backward gates", layer.gates_gradient);
      record.add("gru_backward bias", layer.bias_gradient);
      record.add("gru_backward hidden bias", layer.candidate_hidden_bias_gradient);
    }

  const DeviceVector<float> log_support(backend, data.table(1, size.items, 3.0).data);
  const LogQ logq{log_support.data(), 1.0f, 0.5f, m};
  DeviceMatrix scores(backend, m, columns), weight_gradient(backend, columns, size.hidden);
  DeviceMatrix hidden_gradient(backend, m, size.hidden), bias_gradient(backend, columns, 1);
  const DeviceVector<float> losses(backend, m);
  const DeviceVector<LossTotals> totals(backend, std::vector<LossTotals>{LossTotals()});
  for (const NamedLoss& named : all_losses()) {
    backend.scores(device_state, weight, bias, out_items, logq, scores);
    record.add("scores", scores);
    backend.loss_gradient(named.loss, m, nullptr, scores, losses.span());
    record.add("loss_gradient " + named.name, scores);
    record.add("loss_gradient rows " + named.name, losses.download());
    backend.accumulate_loss(losses.span(), m, nullptr, totals.data());
    record.add("accumulate_loss", std::vector<double>{totals.download()[0].weighted_sum});
  }
  backend.scores_backward(scores, device_state, weight, out_items, hidden_gradient, weight_gradient, bias_gradient);
  record.add("scores_backward hidden", hidden_gradient);
  record.add("scores_backward weight", weight_gradient);
  record.add("scores_backward bias", bias_gradient);
  DeviceMatrix shares(backend, m, size.items);
  backend.scores(device_state, weight, bias, {}, {}, shares);
  backend.activate_scores({ActivationKind::softmax, 1.0f, 1.0f}, shares);
  record.add("activate_scores", shares);

  const DeviceVector<int32_t> count(backend, 1), item(backend, columns), start(backend, columns + 1);
  const DeviceVector<int32_t> occurrence(backend, columns);
  const RowGroups groups{count.data(), item.span(), start.span(), occurrence.span()};
  backend.group_rows(out_items, size.items, groups);
  std::vector<int32_t> distinct = item.download();
  distinct.resize(count.download()[0]);
  record.add("group_rows items", distinct);
  record.add("group_rows", occurrence.download());
  const DeviceVector<double> total(backend, std::vector<double>{0.0});
  const DeviceVector<float> scale(backend, 1);
  backend.add_squared_norm(weight, total.data());
  backend.add_squared_norm_rows(groups, weight_gradient, total.data());
  record.add("squared norms", total.download());
  backend.clip_scale(1.0, total.data(), scale.data());
  record.add("clip_scale", scale.download());
  for (const OptimiserKind kind : {OptimiserKind::adagrad, OptimiserKind::sgd, OptimiserKind::rmsprop,
                                   OptimiserKind::adadelta, OptimiserKind::adam}) {
    const Optimiser optimiser{kind, 0.1f, 0.2f, 0.01f, 0.9f, 0.99f};
    const Table<float> zeros(size.items, size.hidden);
    const DeviceMatrix value(backend, data.table(size.items, size.hidden, 1.0)), first(backend, zeros);
    const DeviceMatrix second(backend, zeros), velocity(backend, zeros);
    const DeviceVector<int32_t> updates(backend, std::vector<int32_t>(size.items)),
        one(backend, std::vector<int32_t>(1));
    for (int step = 0; step < 2; ++step) {
      backend.update_rows(optimiser, groups, weight_gradient, scale.data(),
                          {value, first, second, velocity, updates.span()});
      record.add("update_rows", value);
      backend.update_dense(optimiser, weight, scale.data(), {value, first, second, velocity, one.span()});
      record.add("update_dense", value);
      record.add("update_dense velocity", velocity);
    }
  }

  const std::vector<uint32_t> support(size.items, 3);
  const SamplingTable sampling({support.data(), size.items}, 0.5);
  const DeviceVector<uint64_t> cumulative(backend, sampling.cumulative());
  const DeviceVector<int32_t> guide(backend, sampling.guide());
  DeviceMatrixOf<int32_t> samples(backend, 7, size.samples);
  backend.draw_negatives({cumulative.data(), guide.data(), sampling.view().guide_bits, size.items},
                         random_stream(kSeed, Purpose::negatives, 0), samples);
  record.add("draw_negatives", samples.download().data);

  const int64_t k = std::min<int64_t>(20, size.items);
  const DeviceVector<int32_t> greater(backend, m), equal(backend, m), best(backend, m * k);
  const DeviceVector<float> sums(backend, m);
  DeviceMatrix best_scores(backend, m, k);
  backend.target_ranks(device_state, weight, bias, items.span().range(0, m), {}, greater.span(), equal.span());
  record.add("target_ranks greater", greater.download());
  record.add("target_ranks equal", equal.download());
  backend.top_k(device_state, weight, bias, k, {}, {}, best.span(), best_scores, sums.span());
  record.add("top_k items", best.download());
  record.add("top_k scores", best_scores);
  record.add("top_k sums", sums.download());
  return record;
}

/// The first `count` rows.
Table<float> head(const Table<float>& table, int64_t count) { return block(table, 0, count, 0, table.cols); }

/// `table` with other numbers in all rows but `kept`.
Table<float> others_changed(Data& data, const Table<float>& table, int64_t kept) {
  Table<float> out = data.table(table.rows, table.cols, 5.0);
  place(block(table, kept, 1, 0, table.cols), kept, 0, out);
  return out;
}

/// Outputs of a row of each operation that works row by row; the same inputs, alone or among others.
struct RowOutputs {
  struct OfLoss {
    std::string name;
    Table<float> gradient;
    std::vector<float> losses;
  };
  Table<float> hidden, scores, best_scores, shares;
  std::vector<OfLoss> losses;
  std::vector<float> sums;
  std::vector<int32_t> greater, equal, best;
};

constexpr int64_t kIn = 31, kItems = 700, kColumns = 300, kBest = 20;
/// Hidden units of a layer that the CUDA back end does by its cell, and of one that it does by products.
constexpr int64_t kWidth = 33, kLargeWidth = 130;

/// @param x, h  [M, in] and [M, H], M free
RowOutputs run_rows(Backend& backend, const reference::LayerTables& tables, const Table<float>& weight,
                    const Table<float>& bias, const std::vector<int32_t>& columns, const std::vector<int32_t>& targets,
                    const Table<float>& x, const Table<float>& h) {
  const int64_t m = x.rows;
  DeviceLayer layer(backend, tables, m, 0);
  const DeviceMatrix input(backend, x), state(backend, h), device_weight(backend, weight), device_bias(backend, bias);
  const DeviceVector<int32_t> items(backend, columns);
  const DeviceVector<int32_t> device_targets(backend, std::vector<int32_t>(targets.begin(), targets.begin() + m));
  backend.copy(input, layer.input());
  backend.copy(state, layer.state());
  backend.gru_forward(layer.layer, {}, make_dropout(0.2, random_stream(kSeed, Purpose::hidden_dropout, 1)),
                      layer.trace(), layer.hidden);
  RowOutputs out;
  out.hidden = layer.hidden.download();
  DeviceMatrix scores(backend, m, static_cast<int64_t>(columns.size())), best_scores(backend, m, kBest);
  const DeviceVector<float> losses(backend, m), sums(backend, m);
  const DeviceVector<int32_t> greater(backend, m), equal(backend, m), best(backend, m * kBest);
  backend.scores(layer.hidden, device_weight, device_bias, items.span(), {}, scores);
  out.scores = scores.download();
  for (const NamedLoss& named : all_losses()) {
    scores.upload(out.scores);
    backend.loss_gradient(named.loss, 64, nullptr, scores, losses.span());
    out.losses.push_back({named.name, scores.download(), losses.download()});
  }
  backend.target_ranks(layer.hidden, device_weight, device_bias, device_targets.span(), {}, greater.span(),
                       equal.span());
  backend.top_k(layer.hidden, device_weight, device_bias, kBest, {}, {}, best.span(), best_scores, sums.span());
  out.greater = greater.download();
  out.equal = equal.download();
  out.best = best.download();
  out.best_scores = best_scores.download();
  out.sums = sums.download();
  DeviceMatrix shares(backend, m, kItems);
  backend.scores(layer.hidden, device_weight, device_bias, {}, {}, shares);
  backend.activate_scores({ActivationKind::softmax, 1.0f, 1.0f}, shares);
  out.shares = shares.download();
  return out;
}

void compare_row(const RowOutputs& a, const RowOutputs& b, int64_t row) {
  const auto same = [&](const Table<float>& x, const Table<float>& y) {
    CHECK_BITS(block(x, row, 1, 0, x.cols).data, block(y, row, 1, 0, y.cols).data);
  };
  same(a.hidden, b.hidden);
  same(a.scores, b.scores);
  same(a.best_scores, b.best_scores);
  same(a.shares, b.shares);
  for (size_t i = 0; i < a.losses.size(); ++i) {
    const Context loss(a.losses[i].name);
    same(a.losses[i].gradient, b.losses[i].gradient);
    CHECK_EQUAL(a.losses[i].losses[row], b.losses[i].losses[row]);
  }
  CHECK_EQUAL(a.sums[row], b.sums[row]);
  CHECK_EQUAL(a.greater[row], b.greater[row]);
  CHECK_EQUAL(a.equal[row], b.equal[row]);
  for (int64_t place = 0; place < kBest; ++place) CHECK_EQUAL(a.best[row * kBest + place], b.best[row * kBest + place]);
}

}  // namespace

TEST_CASE("same bits: 1, 2 and 5 threads, every operation, every instruction set, twice in a row") {
  const Sizes all_sizes[] = {{1, 1, 1, 1, 1}, {33, 31, 33, 257, 31}, {64, 100, 100, 3000, 1024}, {257, 33, 31, 40, 33}};
  for (BackendChoice choice : cpu_choices()) {
    choice.options.threads = 1;
    const std::unique_ptr<Backend> one = make_backend(choice);
    for (const int threads : {2, 5}) {
      choice.options.threads = threads;
      const std::unique_ptr<Backend> many = make_backend(choice);
      for (const Sizes& size : all_sizes) {
        const Context context(many->description() + " M, in, H, I, N = " +
                              sizes({size.rows, size.in, size.hidden, size.items, size.samples}));
        const Record expected = run_all(*one, size), received = run_all(*many, size);
        expected.compare(received);
        received.compare(run_all(*many, size));
      }
    }
  }
}

OPERATION_TEST("same bits: every operation, twice in a row") {
  for (const Sizes& size : {Sizes{1, 1, 1, 1, 1}, Sizes{33, 31, 33, 257, 31}, Sizes{65, 33, 31, 40, 33},
                            Sizes{9, 7, kLargeWidth, 40, 33}}) {
    const Context context("M, in, H, I, N = " + sizes({size.rows, size.in, size.hidden, size.items, size.samples}));
    run_all(backend, size).compare(run_all(backend, size));
  }
}

OPERATION_TEST("same bits: a row does not depend on the other rows, nor on whether they are there") {
  for (const int64_t width : {kWidth, kLargeWidth}) {
    const Context context("H=" + std::to_string(width));
    Data data(2);
    const int64_t rows = 70;
    const reference::LayerTables layer = random_layer(data, kIn, width, false, {ActivationKind::tanh, 1.0f, 1.0f});
    const Table<float> weight = data.table(kItems, width, 1.0), bias = data.table(kItems, 1, 1.0);
    const Table<float> x = data.table(rows, kIn, 1.0), h = data.table(rows, width, 1.0);
    const std::vector<int32_t> columns = data.items(kColumns, kItems), targets = data.items(rows, kItems);
    const auto run = [&](const Table<float>& inputs, const Table<float>& states) {
      return run_rows(backend, layer, weight, bias, columns, targets, inputs, states);
    };
    const RowOutputs whole = run(x, h);
    for (const int64_t m : {1, 2, 5, 32, 33, 69}) {
      const Context fewer("M=" + std::to_string(m));
      const RowOutputs part = run(head(x, m), head(h, m));
      for (int64_t row = 0; row < m; ++row) compare_row(whole, part, row);
    }
    for (const int64_t row : {0, 31, 69}) {
      const Context changed("row " + std::to_string(row));
      compare_row(whole, run(others_changed(data, x, row), others_changed(data, h, row)), row);
    }
  }
}

OPERATION_TEST("same bits: a score is the same wherever its item stands in the list, and in the rankings") {
  Data data(3);
  const int64_t rows = 33;
  const Table<float> hidden = data.table(rows, kWidth, 1.0);
  const DeviceMatrix device_hidden(backend, hidden), weight(backend, data.table(kItems, kWidth, 1.0));
  const DeviceMatrix bias(backend, data.table(kItems, 1, 1.0));
  DeviceMatrix all(backend, rows, kItems), best_scores(backend, rows, kItems);
  backend.scores(device_hidden, weight, bias, {}, {}, all);
  const Table<float> expected = all.download();
  for (const int64_t count : {1, 2, 31, 33, 257}) {
    const std::vector<int32_t> list = data.items(count, kItems);
    const DeviceVector<int32_t> items(backend, list);
    DeviceMatrix some(backend, rows, count);
    backend.scores(device_hidden, weight, bias, items.span(), {}, some);
    const Table<float> received = some.download();
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < count; ++j) CHECK_EQUAL(expected(i, list[j]), received(i, j));
  }
  const DeviceVector<int32_t> best(backend, rows * kItems);
  backend.top_k(device_hidden, weight, bias, kItems, {}, {}, best.span(), best_scores, {});
  const std::vector<int32_t> order = best.download();
  const Table<float> sorted = best_scores.download();
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t place = 0; place < kItems; ++place)
      CHECK_EQUAL(expected(i, order[i * kItems + place]), sorted(i, place));
}

}  // namespace gru4rec::test
