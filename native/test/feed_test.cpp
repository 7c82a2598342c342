#include "core/sampling_table.h"
#include "core/schedule.h"
#include "harness.h"
#include "losses.h"
#include "reference/loss.h"
#include "reference/random.h"
#include "reference/scores.h"

/// What operations do where a device follows a feed by itself: they take the step from memory, and leave out the rows
/// that are not active.
namespace gru4rec::test {

namespace {

using namespace reference;

constexpr uint64_t kSeed = 0xC0FFEE0012345678u;

/// A step of `batch` rows of which the first `active` are there.
struct FedItems {
  FedItems(Data& data, int64_t active_, int64_t batch, int64_t samples, int64_t items) : active(active_) {
    const std::vector<int32_t> targets = data.items(active, items), drawn = data.items(samples, items);
    all = targets;
    all.resize(batch, kNoItem);
    all.insert(all.end(), drawn.begin(), drawn.end());
    close = targets;
    close.insert(close.end(), drawn.begin(), drawn.end());
    place = all_items(active);
    for (int64_t j = 0; j < samples; ++j) place.push_back(static_cast<int32_t>(batch + j));
  }
  int64_t active;
  std::vector<int32_t> all;    ///< [batch + samples] as a feed has them
  std::vector<int32_t> close;  ///< [active + samples] without the gap
  std::vector<int32_t> place;  ///< of the items of `close` in `all`
};

/// `close` [rows, columns of the step without the gap] as it stands among zeros in a step of `batch` rows.
template <class T>
Table<T> spread(const Table<T>& close, const FedItems& items, int64_t batch) {
  Table<T> out(batch, static_cast<int64_t>(items.all.size()));
  for (int64_t i = 0; i < close.rows; ++i)
    for (int64_t j = 0; j < close.cols; ++j) out(i, items.place[j]) = close(i, j);
  return out;
}

constexpr int64_t kFed[][4] = {{1, 1, 3, 5},     {1, 2, 1, 3},      {0, 3, 4, 7},
                               {5, 33, 31, 100}, {32, 33, 257, 40}, {33, 33, 0, 9}};  // active, batch, samples, items

}  // namespace

OPERATION_TEST("begin_step: rows of the feed, round its end, and the samples of the step's number") {
  Data data(1);
  for (const auto& [batch, samples] : {std::pair<int64_t, int64_t>{1, 31}, {33, 257}, {3, 0}, {700, 1}}) {
    const Context context("B, N = " + sizes({batch, samples}));
    const int64_t capacity = 3, items = 50;
    std::vector<uint32_t> support(items);
    for (int64_t j = 0; j < items; ++j) support[j] = static_cast<uint32_t>(300 / (j + 1) + 1);
    const SamplingTable sampling({support.data(), items}, 0.5);
    const std::vector<uint64_t> shares = cumulative_shares(support, 0.5);
    const DeviceVector<uint64_t> cumulative(backend, sampling.cumulative());
    const DeviceVector<int32_t> guide(backend, sampling.guide());

    Table<int32_t> rows(capacity, StepFeed::row_size(batch));
    for (int32_t& value : rows.data) value = static_cast<int32_t>(data.integer(-1, items - 1));
    for (int64_t r = 0; r < capacity; ++r) rows(r, 0) = static_cast<int32_t>(data.integer(0, batch));
    const DeviceMatrixOf<int32_t> device_rows(backend, rows);
    const uint64_t first = 0xFFFFFFFEu;  // the number outgrows 32 bits
    const DeviceVector<StepState> state(backend, std::vector<StepState>{{first, 2, -7}});
    const DeviceVector<int32_t> step_items(backend, batch + samples + batch), source(backend, batch);
    const DeviceVector<LossTotals> totals(backend, std::vector<LossTotals>{LossTotals()});
    const DeviceVector<float> row_losses(backend, std::vector<float>(batch, 1.0f));
    StepFeed feed;
    feed.rows = device_rows.view();
    feed.table = {cumulative.data(), guide.data(), sampling.view().guide_bits, items};
    feed.seed = kSeed;
    feed.samples = samples;
    feed.state = state.data();
    feed.items = step_items.span();
    feed.source = source.span();

    double weight = 0.0;
    for (int64_t s = 0; s < 5; ++s) {
      const Context step("step " + std::to_string(s));
      backend.begin_step(feed);
      const int32_t* row = &rows((2 + s) % capacity, 0);
      std::vector<int32_t> expected(row + 1, row + 1 + batch);
      for (int64_t j = 0; j < samples; ++j)
        expected.push_back(find_item(shares, number64(kSeed, kNegatives, first + s, j)));
      expected.insert(expected.end(), row + 1 + batch, row + 1 + 2 * batch);
      CHECK_BITS(expected, step_items.download());
      CHECK_BITS(std::vector<int32_t>(row + 1 + 2 * batch, row + 1 + 3 * batch), source.download());
      CHECK_EQUAL(row[0], state.download()[0].active);
      CHECK_EQUAL(first + s, state.download()[0].step);

      backend.accumulate_loss(row_losses.span(), batch, state.data(), totals.data());
      weight += row[0];
      CHECK_EQUAL(weight, totals.download()[0].weight);
      CHECK_EQUAL(first + s + 1, state.download()[0].step);
      CHECK_EQUAL(3 + s, state.download()[0].row);
    }
  }
}

OPERATION_TEST("dropout: the step of the mask may stand in memory") {
  Data data(2);
  const Table<float> table = data.table(7, 33, 1.0);
  const DeviceMatrix device_table(backend, table);
  const std::vector<int32_t> rows = data.items(31, 7);
  const DeviceVector<int32_t> device_rows(backend, rows);
  const DeviceVector<uint64_t> step(backend, std::vector<uint64_t>{0});
  const auto gather = [&](const Dropout& dropout) {
    DeviceMatrix out(backend, 31, 33);
    backend.gather_rows(device_table, device_rows.span(), dropout, out);
    return out.download().data;
  };
  for (const uint64_t number : {uint64_t{0}, uint64_t{5}, uint64_t{0x100000003u}}) {
    backend.upload(&number, sizeof number, step.data());
    const std::vector<float> expected = gather(make_dropout(0.4, random_stream(kSeed, Purpose::input_dropout, number)));
    CHECK_BITS(expected, gather(make_dropout(0.4, random_stream(kSeed, Purpose::input_dropout, 99), step.data())));
  }
}

OPERATION_TEST("no item: gathered as zeros, and in no group") {
  Data data(3);
  for (const auto& [active, batch, samples, items] : kFed) {
    const Context context("active, B, N, I = " + sizes({active, batch, samples, items}));
    const FedItems fed(data, active, batch, samples, items);
    const int64_t count = static_cast<int64_t>(fed.all.size());
    const DeviceVector<int32_t> list(backend, fed.all);
    const Table<float> table = data.table(items, 5, 1.0);
    const DeviceMatrix device_table(backend, table);
    DeviceMatrix out(backend, count, 5);
    backend.gather_rows(device_table, list.span(), {}, out);
    const Table<float> received = out.download();
    for (int64_t i = 0; i < count; ++i)
      for (int64_t d = 0; d < 5; ++d) CHECK_EQUAL(fed.all[i] == kNoItem ? 0.0f : table(fed.all[i], d), received(i, d));

    const DeviceVector<int32_t> number(backend, 1), item(backend, count), start(backend, count + 1);
    const DeviceVector<int32_t> occurrence(backend, count);
    backend.group_rows(list.span(), items, {number.data(), item.span(), start.span(), occurrence.span()});
    const int32_t groups = number.download()[0];
    const std::vector<int32_t> item_of = item.download(), starts = start.download(), rows = occurrence.download();
    CHECK_EQUAL(static_cast<int32_t>(fed.close.size()), starts[groups]);
    CHECK_EQUAL(0, starts[0]);
    for (int32_t g = 0; g < groups; ++g)
      for (int32_t o = starts[g]; o < starts[g + 1]; ++o) CHECK_EQUAL(item_of[g], fed.all[rows[o]]);
  }
}

PRODUCT_TEST("no item: a column of scores 0, which has no part in the gradients") {
  Data data(4);
  const int64_t width = 33;
  for (const auto& [active, batch, samples, items] : kFed) {
    const Context context("active, B, N, I = " + sizes({active, batch, samples, items}));
    const FedItems fed(data, active, batch, samples, items);
    const int64_t columns = static_cast<int64_t>(fed.all.size());
    const Table<float> hidden = data.table(batch, width, 1.0);
    const Table<float> weight = data.table(items, width, 1.0), bias = data.table(items, 1, 1.0);
    const std::vector<float> log_support = data.table(1, items, 5.0).data;
    Table<Number> close = scores(as<Number>(hidden), as<Number>(weight), as<Number>(bias), fed.close);
    correct_for_popularity(0.5, 0.5, std::vector<Number>(log_support.begin(), log_support.end()), fed.close, active,
                           close);
    const DeviceMatrix device_hidden(backend, hidden), device_weight(backend, weight), device_bias(backend, bias);
    const DeviceVector<int32_t> list(backend, fed.all);
    const DeviceVector<float> device_support(backend, log_support);
    DeviceMatrix out(backend, batch, columns);
    backend.scores(device_hidden, device_weight, device_bias, list.span(), {device_support.data(), 0.5f, 0.25f, batch},
                   out);
    CHECK_NUMBERS(spread(close, fed, batch).data, out.download().data);

    const Table<float> gradient = data.table(batch, static_cast<int64_t>(fed.close.size()), 0.1);
    const ScoresBackward<Number> expected =
        scores_backward(as<Number>(gradient), as<Number>(hidden), as<Number>(weight), fed.close);
    const DeviceMatrix device_gradient(backend, spread(gradient, fed, batch));
    DeviceMatrix hidden_gradient(backend, batch, width), rows(backend, columns, width), biases(backend, columns, 1);
    backend.scores_backward(device_gradient, device_hidden, device_weight, list.span(), hidden_gradient, rows, biases);
    CHECK_NUMBERS(expected.hidden.data, hidden_gradient.download().data);
    const Table<float> received = rows.download(), received_bias = biases.download();
    for (int64_t j = 0; j < columns; ++j)
      if (fed.all[j] == kNoItem) {
        CHECK_EQUAL(0.0f, received_bias(j, 0));
        CHECK_BITS(std::vector<float>(width), block(received, j, 1, 0, width).data);
      }
    for (size_t j = 0; j < fed.place.size(); ++j) {
      const auto column = static_cast<int64_t>(j);
      CHECK_NUMBERS(block(expected.weight, column, 1, 0, width).data, block(received, fed.place[j], 1, 0, width).data);
      CHECK_NUMBERS(block(expected.bias, column, 1, 0, 1).data, block(received_bias, fed.place[j], 1, 0, 1).data);
    }
  }
}

OPERATION_TEST("loss_gradient: rows that are not active and their columns are left out, for every loss") {
  Data data(5);
  for (const auto& [active, batch, samples, items] : kFed) {
    if (active + samples < 2) continue;
    const FedItems fed(data, active, batch, samples, items);
    for (const NamedLoss& named : all_losses()) {
      const Context context(named.name + " active, B, N = " + sizes({active, batch, samples}));
      const Table<float> close = data.table(active, active + samples, 3.0);
      const LossResult<Number> expected = loss_gradient(named.loss, batch, as<Number>(close));
      Table<float> raw = spread(close, fed, batch);
      for (int64_t i = 0; i < batch; ++i)  // whatever stands there
        for (int64_t j = 0; j < raw.cols; ++j)
          if (i >= active || (j >= active && j < batch)) raw(i, j) = 100.0f;
      DeviceMatrix scores(backend, raw, 3);
      const DeviceVector<float> row_losses(backend, batch);
      const DeviceVector<int32_t> count(backend, std::vector<int32_t>{static_cast<int32_t>(active)});
      backend.loss_gradient(named.loss, batch, count.data(), scores, row_losses.span());
      std::vector<Number> losses = expected.row_losses;
      losses.resize(batch, Number(0.0));
      CHECK_NUMBERS(losses, row_losses.download());
      const Table<Number> gradient = spread(expected.gradient, fed, batch);
      const Table<float> received = scores.download();
      for (int64_t i = 0; i < batch; ++i) {
        const Context row("row " + std::to_string(i));
        CHECK_NUMBERS(block(gradient, i, 1, 0, gradient.cols).data, block(received, i, 1, 0, gradient.cols).data);
      }
    }
  }
}

OPERATION_TEST("reads: two under way, each as the memory was when it was started") {
  const DeviceVector<double> memory(backend, std::vector<double>{1.0, 2.0});
  double first[2] = {}, second[2] = {};
  backend.start_read(0, memory.data(), sizeof first);
  const double more[2] = {3.0, 4.0};
  backend.upload(more, sizeof more, memory.data());
  backend.start_read(1, memory.data(), sizeof second);
  backend.finish_read(0, sizeof first, first);
  backend.finish_read(1, sizeof second, second);
  CHECK(first[0] == 1.0 && first[1] == 2.0 && second[0] == 3.0 && second[1] == 4.0);
}

OPERATION_TEST("recordings: run what was called, on what is in memory then, in every branch") {
  if (!backend.records()) {
    CHECK_THROWS(Error, backend.record([] {}));
    return;
  }
  const int64_t size = 1000;
  DeviceMatrix from(backend, 1, size), left(backend, 1, size), right(backend, 1, size), both(backend, 2, size);
  const auto operations = [&] {
    backend.enter(Branch::rows);
    backend.copy(from, left);
    backend.leave();
    backend.copy(from, right);
    backend.join(Branch::rows);
    backend.copy(left, both.view().row_range(0, 1));
    backend.copy(right, both.view().row_range(1, 1));
  };
  from.upload(Table<float>(1, size, 1.0f));
  both.upload(Table<float>(2, size, 0.0f));
  const std::unique_ptr<Recording> recording = backend.record(operations);
  CHECK_BITS(Table<float>(2, size, 0.0f).data, both.download().data);  // nothing ran yet
  for (const float value : {2.0f, 3.0f}) {
    from.upload(Table<float>(1, size, value));
    recording->replay();
    CHECK_BITS(Table<float>(2, size, value).data, both.download().data);
  }
  const auto fail = [&] {
    backend.enter(Branch::rows);
    backend.copy(from, left);
    throw Error(ErrorCode::aborted, "in the middle");
  };
  CHECK_EQUAL("in the middle", CHECK_THROWS(Error, backend.record(fail)));
  from.upload(Table<float>(1, size, 5.0f));
  operations();  // the back end goes on
  CHECK_BITS(Table<float>(2, size, 5.0f).data, both.download().data);
}

}  // namespace gru4rec::test
