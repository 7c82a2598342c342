#include <algorithm>
#include <cmath>
#include <set>

#include "harness.h"
#include "reference/optimiser.h"

namespace gru4rec::test {

namespace {

using namespace reference;

struct NamedOptimiser {
  std::string name;
  Optimiser optimiser;
};

/// Five optimisers, each plain, with momentum, with weight decay, and with both; under a sanitizer plain and with both.
std::vector<NamedOptimiser> all_optimisers() {
  const std::pair<const char*, OptimiserKind> kinds[] = {{"adagrad", OptimiserKind::adagrad},
                                                         {"sgd", OptimiserKind::sgd},
                                                         {"rmsprop", OptimiserKind::rmsprop},
                                                         {"adadelta", OptimiserKind::adadelta},
                                                         {"adam", OptimiserKind::adam}};
  std::vector<NamedOptimiser> optimisers;
  for (const auto& [name, kind] : kinds)
    for (const float momentum : {0.0f, 0.4f})
      for (const float lmbd : {0.0f, 0.1f}) {
        if (kSanitized && (momentum > 0.0f) != (lmbd > 0.0f)) continue;
        optimisers.push_back({std::string(name) + " momentum=" + show(momentum) + " lmbd=" + show(lmbd),
                              {kind, kind == OptimiserKind::adadelta ? 1.0f : 0.05f, momentum, lmbd, 0.9f,
                               kind == OptimiserKind::adam ? 0.98f : 0.999f}});
      }
  return optimisers;
}

bool uses_second(const Optimiser& o) { return o.kind == OptimiserKind::adadelta || o.kind == OptimiserKind::adam; }

/// A TrainableMatrix on a back end: states that the optimiser does not use are absent.
struct DeviceTrainable {
  DeviceTrainable(Backend& backend, const Optimiser& o, const Table<float>& value_, int64_t counters, int64_t gap)
      : value(backend, value_, gap),
        first(backend, o.kind == OptimiserKind::sgd ? Table<float>() : Table<float>(value_.rows, value_.cols), gap),
        second(backend, uses_second(o) ? Table<float>(value_.rows, value_.cols) : Table<float>(), gap),
        velocity(backend, o.momentum > 0.0f ? Table<float>(value_.rows, value_.cols) : Table<float>(), gap),
        updates(backend, std::vector<int32_t>(o.kind == OptimiserKind::adam ? counters : 0)) {}

  TrainableMatrix view() const { return {value, first, second, velocity, updates.span()}; }
  /// The matrices that the optimiser uses, the value first.
  std::vector<Table<float>> states() const {
    std::vector<Table<float>> out;
    for (const DeviceMatrix* matrix : {&value, &first, &second, &velocity}) {
      const Table<float> contents = matrix->download();
      if (!contents.empty()) out.push_back(contents);
    }
    return out;
  }

  DeviceMatrix value, first, second, velocity;
  DeviceVector<int32_t> updates;
};

/// What the reference knows of a TrainableMatrix.
struct ReferenceTrainable {
  explicit ReferenceTrainable(const Table<float>& value) : elements(value.rows, value.cols) {
    for (size_t i = 0; i < value.data.size(); ++i) elements.data[i].parameter = double{value.data[i]};
  }

  Table<Element<Number>> elements;

  /// Compares value, states and, for adam, the count of updates of each row.
  void compare(const Optimiser& o, const DeviceTrainable& device) const {
    std::vector<Number> value, first, second, velocity;
    for (const Element<Number>& e : elements.data) {
      value.push_back(e.parameter);
      first.push_back(e.first);
      second.push_back(e.second);
      velocity.push_back(e.velocity);
    }
    CHECK_NUMBERS(value, device.value.download().data);
    if (o.kind != OptimiserKind::sgd) CHECK_NUMBERS(first, device.first.download().data);
    if (uses_second(o)) CHECK_NUMBERS(second, device.second.download().data);
    if (o.momentum > 0.0f) CHECK_NUMBERS(velocity, device.velocity.download().data);
  }
};

/// RowGroups with the memory behind them.
struct DeviceGroups {
  DeviceGroups(Backend& backend, int64_t size)
      : count(backend, 1), item(backend, size), start(backend, size + 1), occurrence(backend, size) {}

  RowGroups view() const { return {count.data(), item.span(), start.span(), occurrence.span()}; }

  DeviceVector<int32_t> count, item, start, occurrence;
};

using Sizes = std::vector<int64_t>;

/// Work for more than one block of a kernel.
const int64_t kManyRows = unless_sanitized(100000, 5000), kLongRow = unless_sanitized(10007, 1031);

/// Items of a step: all different, all the same, or mixed.
std::vector<std::vector<int32_t>> item_lists(Data& data, int64_t table_rows) {
  std::vector<std::vector<int32_t>> lists{{}, {static_cast<int32_t>(table_rows - 1)}};
  for (const int64_t count : {31, 33, 257}) {
    lists.push_back(std::vector<int32_t>(count, static_cast<int32_t>(table_rows / 2)));
    lists.push_back(data.items(count, table_rows));
  }
  std::vector<int32_t> every(table_rows);
  for (int64_t i = 0; i < table_rows; ++i) every[i] = static_cast<int32_t>(table_rows - 1 - i);
  lists.push_back(every);
  return lists;
}

/// Sum of the rows of `gradient` that belong to `item`; false when there are none.
bool summed_row(const std::vector<int32_t>& items, const Table<float>& gradient, int32_t item,
                std::vector<Number>& out) {
  std::vector<Total<Number>> totals(gradient.cols);
  bool touched = false;
  for (int64_t i = 0; i < std::min<int64_t>(gradient.rows, items.size()); ++i) {
    if (items[i] != item) continue;
    touched = true;
    for (int64_t d = 0; d < gradient.cols; ++d) totals[d].add(double{gradient(i, d)});
  }
  out.clear();
  for (const Total<Number>& total : totals) out.push_back(total.sum());
  return touched;
}

}  // namespace

OPERATION_TEST("group_rows: every row once, ascending within its item, each item one group") {
  Data data(1);
  for (const int64_t table_rows : {int64_t{1}, int64_t{2}, int64_t{33}, kManyRows})
    for (const std::vector<int32_t>& items : item_lists(data, table_rows)) {
      const Context context("rows of the table " + std::to_string(table_rows) +
                            ", n = " + std::to_string(items.size()));
      const DeviceVector<int32_t> device_items(backend, items);
      const DeviceGroups groups(backend, static_cast<int64_t>(items.size()));
      // Twice: what the first call left behind must not show.
      for (int call = 0; call < 2; ++call) {
        backend.group_rows(device_items.span(), table_rows, groups.view());
        const int32_t count = groups.count.download()[0];
        const std::vector<int32_t> item = groups.item.download(), start = groups.start.download();
        const std::vector<int32_t> occurrence = groups.occurrence.download();
        CHECK_EQUAL(std::set<int32_t>(items.begin(), items.end()).size(), static_cast<size_t>(count));
        CHECK_EQUAL(std::set<int32_t>(item.begin(), item.begin() + count).size(), static_cast<size_t>(count));
        CHECK_EQUAL(0, start[0]);
        CHECK_EQUAL(static_cast<int32_t>(items.size()), start[count]);
        for (int32_t g = 0; g < count; ++g) {
          CHECK(start[g] < start[g + 1]);
          for (int32_t o = start[g]; o < start[g + 1]; ++o) {
            CHECK_EQUAL(item[g], items[occurrence[o]]);
            if (o > start[g]) CHECK(occurrence[o - 1] < occurrence[o]);
          }
        }
      }
    }
}

OPERATION_TEST("update_dense: optimisers, momentum, weight decay and scale over several steps") {
  const Sizes row_sizes = unless_sanitized(Sizes{0, 1, 31, 33, 257, kLongRow}, Sizes{0, 33, kLongRow});
  const int steps = unless_sanitized(10, 4);
  for (const NamedOptimiser& named : all_optimisers())
    for (const int64_t size : row_sizes)
      for (const float scale : {0.0f, 0.3f}) {  // 0 = no scale
        const Context context(named.name + " n=" + std::to_string(size) + " scale=" + show(scale));
        Data data(2);
        const Table<float> value = data.table(1, size, 1.0);
        const DeviceTrainable device(backend, named.optimiser, value, 1, 0);
        const DeviceVector<float> device_scale(backend, std::vector<float>{scale});
        ReferenceTrainable expected(value);
        for (int step = 0; step < steps; ++step) {
          Table<float> gradient = data.table(1, size, 1.0);
          if (step == 3) gradient = Table<float>(1, size, 0.0f);  // nothing but decay and momentum
          const DeviceMatrix device_gradient(backend, gradient);
          backend.update_dense(named.optimiser, device_gradient, scale > 0.0f ? device_scale.data() : nullptr,
                               device.view());
          for (int64_t i = 0; i < size; ++i) {
            const Number g = double{gradient(0, i)};
            update(named.optimiser, scale > 0.0f ? g * Number(double{scale}) : g, expected.elements(0, i));
          }
        }
        expected.compare(named.optimiser, device);
        if (named.optimiser.kind == OptimiserKind::adam && size > 0) CHECK_EQUAL(steps, device.updates.download()[0]);
      }
}

OPERATION_TEST("update_rows: touched rows once with the sum of their gradients, the others bit for bit as they were") {
  const Sizes widths = unless_sanitized(Sizes{1, 31, 33, 100}, Sizes{1, 33});
  for (const NamedOptimiser& named : all_optimisers())
    for (const int64_t width : widths)
      for (const float scale : {0.0f, 0.3f}) {
        const int64_t table_rows = 200, gap = width == 31 ? 3 : 0;
        const Context context(named.name + " D=" + std::to_string(width) + " scale=" + show(scale));
        Data data(3);
        const Table<float> value = data.table(table_rows, width, 1.0);
        const DeviceTrainable device(backend, named.optimiser, value, table_rows, gap);
        const DeviceVector<float> device_scale(backend, std::vector<float>{scale});
        ReferenceTrainable expected(value);
        for (int step = 0; step < 4; ++step) {
          const std::vector<int32_t> items = data.items(step == 1 ? 1 : step == 3 ? 300 : 33, step == 3 ? 180 : 24);
          // The last rows belong to another use of the items, as inputs beside targets and samples.
          const int64_t gradient_rows = std::max<int64_t>(1, static_cast<int64_t>(items.size()) - (step == 2 ? 9 : 0));
          const Table<float> gradient = data.table(gradient_rows, width, 1.0);
          const DeviceVector<int32_t> device_items(backend, items);
          const DeviceGroups groups(backend, static_cast<int64_t>(items.size()));
          const DeviceMatrix device_gradient(backend, gradient, 3);

          const std::vector<Table<float>> before = device.states();
          const std::vector<int32_t> updates = device.updates.download();
          backend.group_rows(device_items.span(), table_rows, groups.view());
          backend.update_rows(named.optimiser, groups.view(), device_gradient,
                              scale > 0.0f ? device_scale.data() : nullptr, device.view());
          const std::vector<Table<float>> after = device.states();
          const std::vector<int32_t> counts = device.updates.download();

          for (int32_t item = 0; item < table_rows; ++item) {
            std::vector<Number> sum;
            const bool touched = summed_row(items, gradient, item, sum);
            if (!counts.empty()) CHECK_EQUAL(updates[item] + (touched ? 1 : 0), counts[item]);
            if (!touched) {
              for (size_t state = 0; state < before.size(); ++state)
                CHECK_BITS(block(before[state], item, 1, 0, width).data, block(after[state], item, 1, 0, width).data);
              continue;
            }
            for (int64_t d = 0; d < width; ++d)
              update(named.optimiser, scale > 0.0f ? sum[d] * Number(double{scale}) : sum[d],
                     expected.elements(item, d));
          }
        }
        expected.compare(named.optimiser, device);
      }
}

OPERATION_TEST("update_rows: an item with thousands of occurrences, a table of one row, a column of biases") {
  for (const NamedOptimiser& named : all_optimisers()) {
    const Context context(named.name);
    Data data(4);
    const int64_t occurrences = unless_sanitized(5000, 1500);
    const std::vector<int32_t> items(occurrences, 0);
    const Table<float> gradient = data.table(occurrences, 1, 0.1), value = data.table(1, 1, 1.0);
    const DeviceTrainable device(backend, named.optimiser, value, 1, 0);
    const DeviceVector<int32_t> device_items(backend, items);
    const DeviceGroups groups(backend, occurrences);
    const DeviceMatrix device_gradient(backend, gradient);
    backend.group_rows(device_items.span(), 1, groups.view());
    backend.update_rows(named.optimiser, groups.view(), device_gradient, nullptr, device.view());
    ReferenceTrainable expected(value);
    std::vector<Number> sum;
    summed_row(items, gradient, 0, sum);
    update(named.optimiser, sum[0], expected.elements(0, 0));
    expected.compare(named.optimiser, device);
  }
}

OPERATION_TEST("squared norms: dense parts and summed rows add up") {
  constexpr int64_t kNormItems = 150;
  Data data(5);
  for (const int64_t rows : kSizes)
    for (const int64_t width : {int64_t{0}, int64_t{1}, int64_t{31}, int64_t{33}, int64_t{257}, kLongRow}) {
      if (rows > 1 && width > 257) continue;  // the dense part is one long row
      const Context context(sizes({rows, width}));
      const Table<float> gradient = data.table(rows, width, 1.0);
      const DeviceMatrix device_gradient(backend, gradient, 3);
      const DeviceVector<double> total(backend, std::vector<double>{1.5});
      Total<Number> dense;
      dense.add(1.5);
      for (const float g : gradient.data) dense.add(Number(double{g}) * Number(double{g}));
      backend.add_squared_norm(device_gradient, total.data());
      const double first = total.download()[0];
      CHECK_NEAR(dense.sum().value, first, kSlack * dense.sum().error);

      // Five more items than gradients: they do not count.
      const std::vector<int32_t> items = data.items(rows + 5, kNormItems);
      const DeviceVector<int32_t> device_items(backend, items);
      const DeviceGroups groups(backend, rows + 5);
      backend.group_rows(device_items.span(), kNormItems, groups.view());
      backend.add_squared_norm_rows(groups.view(), device_gradient, total.data());
      Total<Number> grouped;
      grouped.add(first);
      for (int32_t item = 0; item < kNormItems; ++item) {
        std::vector<Number> sum;
        if (!summed_row(items, gradient, item, sum)) continue;
        for (const Number& g : sum) grouped.add(g * g);
      }
      CHECK_NEAR(grouped.sum().value, total.download()[0], kSlack * grouped.sum().error);
    }
}

OPERATION_TEST("clip_scale: cap / norm from the cap on, else 1, and the total starts over") {
  const struct {
    double cap, total, scale;
  } cases[] = {{2.0, 0.0, 1.0},  {2.0, 3.99, 1.0},   {2.0, 4.0, 1.0},
               {2.0, 16.0, 0.5}, {0.5, 100.0, 0.05}, {1e-3, 1e12, 1e-9}};
  for (const auto& c : cases) {
    const Context context("cap " + show(c.cap) + " total " + show(c.total));
    const DeviceVector<double> total(backend, std::vector<double>{c.total});
    const DeviceVector<float> scale(backend, std::vector<float>{-1.0f});
    backend.clip_scale(c.cap, total.data(), scale.data());
    CHECK_NEAR(c.scale, scale.download()[0], 4.0 * kUnit * c.scale);
    CHECK_EQUAL(0.0, total.download()[0]);
  }
}

}  // namespace gru4rec::test
