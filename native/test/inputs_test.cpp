#include <limits>

#include "harness.h"
#include "reference/random.h"

namespace gru4rec::test {

namespace {

constexpr uint64_t kSeed = 0x9E3779B97F4A7C15u, kStep = 0x100000003u;

/// What gather_rows computes: a table element times its dropout factor is one rounding, so the bits are fixed.
Table<float> gathered(const Table<float>& table, const std::vector<int32_t>& rows, const Table<float>& mask) {
  Table<float> out(mask.rows, mask.cols);
  for (int64_t i = 0; i < mask.rows; ++i)
    for (int64_t d = 0; d < mask.cols; ++d) out(i, d) = mask(i, d) == 0.0f ? 0.0f : table(rows[i], d) * mask(i, d);
  return out;
}

/// The values are those expected; -0 is as good as 0.
void check_values(const Table<float>& expected, const Table<float>& received) {
  for (size_t i = 0; i < expected.data.size(); ++i) CHECK_EQUAL(expected.data[i], received.data[i]);
}

}  // namespace

OPERATION_TEST("fill: writes the value everywhere and nowhere else") {
  for (const int64_t rows : kSizes)
    for (const int64_t cols : kSizes) {
      const Context context(sizes({rows, cols}));
      DeviceMatrix out(backend, rows, cols, 3);
      backend.fill(-2.5f, out);
      CHECK_BITS(Table<float>(rows, cols, -2.5f).data, out.download().data);
    }
}

OPERATION_TEST("copy: same bits, from and to rows with gaps") {
  Data data(1);
  for (const int64_t rows : kSizes)
    for (const int64_t cols : kSizes) {
      const Context context(sizes({rows, cols}));
      const Table<float> from = data.table(rows, cols, 1.0);
      const DeviceMatrix source(backend, from, 5);
      DeviceMatrix out(backend, rows, cols, 2), tight(backend, rows, cols);
      backend.copy(source, out);
      backend.copy(out, tight);
      CHECK_BITS(from.data, out.download().data);
      CHECK_BITS(from.data, tight.download().data);
    }
}

OPERATION_TEST("gather_rows: rows of the table under the dropout mask of docs/random.md") {
  Data data(2);
  for (const int64_t items : {1, 7, 257})
    for (const int64_t count : kSizes)
      for (const int64_t width : kSizes)
        for (const double p : {0.0, 0.2, 0.5, 0.999}) {
          const Context context(sizes({items, count, width}) + " p=" + show(p));
          const Table<float> table = data.table(items, width, 1.0);
          const std::vector<int32_t> rows = data.items(count, items);
          const DeviceMatrix device_table(backend, table);
          const DeviceVector<int32_t> device_rows(backend, rows);
          DeviceMatrix out(backend, count, width, 37);  // columns of a joined buffer
          const Dropout dropout = make_dropout(p, random_stream(kSeed, Purpose::input_dropout, kStep));
          backend.gather_rows(device_table, device_rows.span(), dropout, out);
          const Table<float> mask = reference::dropout_mask(p, kSeed, reference::kInputDropout, kStep, count, width);
          check_values(gathered(table, rows, mask), out.download());
        }
}

OPERATION_TEST("gather_rows: dropout leaves out the stated share") {
  const int64_t rows = 400, width = 250;
  const DeviceMatrix table(backend, Table<float>(1, width, 1.0f));
  const DeviceVector<int32_t> items(backend, std::vector<int32_t>(rows, 0));
  DeviceMatrix out(backend, rows, width);
  for (const double p : {0.1, 0.5, 0.8}) {
    backend.gather_rows(table, items.span(), make_dropout(p, random_stream(kSeed, Purpose::input_dropout, 0)), out);
    int64_t dropped = 0;
    for (const float v : out.download().data) dropped += v == 0.0f ? 1 : 0;
    // 100,000 draws: four standard deviations of the binomial share.
    const double draws = static_cast<double>(rows * width);
    CHECK_NEAR(p, static_cast<double>(dropped) / draws, 4.0 * std::sqrt(p * (1.0 - p) / draws));
  }
}

OPERATION_TEST("carry_state: rows of the previous step, zeros where a session starts") {
  Data data(3);
  for (const int64_t before : {1, 31, 33})
    for (const int64_t rows : kSizes)
      for (const int64_t width : kSizes) {
        const Context context(sizes({before, rows, width}));
        const Table<float> state = data.table(before, width, 1.0);
        std::vector<int32_t> source(rows);
        for (int32_t& row : source) row = static_cast<int32_t>(data.integer(-1, before - 1));
        Table<float> expected(rows, width);
        for (int64_t i = 0; i < rows; ++i)
          for (int64_t d = 0; d < width; ++d) expected(i, d) = source[i] < 0 ? 0.0f : state(source[i], d);
        const DeviceMatrix device_state(backend, state, 3);
        const DeviceVector<int32_t> device_source(backend, source);
        DeviceMatrix out(backend, rows, width, 41);
        backend.carry_state(device_state, device_source.span(), out);
        CHECK_BITS(expected.data, out.download().data);
      }
}

OPERATION_TEST("carry_items: items of the rows before, none where a session starts and behind the last row") {
  Data data(5);
  for (const int64_t before : {1, 31, 257})
    for (const int64_t rows : kSizes)
      for (const int64_t behind : {0, 5}) {
        const Context context(sizes({before, rows, behind}));
        const std::vector<int32_t> items = data.items(before, 1000);
        std::vector<int32_t> source(rows);
        for (int32_t& row : source) row = static_cast<int32_t>(data.integer(-1, before - 1));
        // Without sources the items go one by one.
        const int64_t taken = rows > 0 ? rows : before;
        std::vector<int32_t> expected(taken + behind, kNoItem);
        for (int64_t i = 0; i < taken; ++i)
          if (rows == 0 || source[i] >= 0) expected[i] = items[rows == 0 ? i : source[i]];
        const DeviceVector<int32_t> device_items(backend, items), device_source(backend, source);
        const DeviceVector<int32_t> out(backend, std::vector<int32_t>(expected.size(), 7));
        backend.carry_items(device_items.span(), device_source.span(), out.span());
        CHECK(expected == out.download());
      }
}

OPERATION_TEST("add, multiply: element by element, and what meets the factor 0 is 0") {
  Data data(6);
  for (const int64_t rows : kSizes)
    for (const int64_t cols : kSizes) {
      const Context context(sizes({rows, cols}));
      const Table<float> a = data.table(rows, cols, 1.0);
      Table<float> b = data.table(rows, cols, 1.0), added(rows, cols), product(rows, cols), values = a;
      for (size_t i = 0; i < a.data.size(); ++i) {
        if (i % 3 == 0) b.data[i] = 0.0f;
        if (i % 6 == 0) values.data[i] = std::numeric_limits<float>::quiet_NaN();
        added.data[i] = a.data[i] + b.data[i];
        product.data[i] = i % 3 == 0 ? 0.0f : a.data[i] * b.data[i];
      }
      const DeviceMatrix from(backend, b, 2);
      DeviceMatrix out(backend, a, 5), times(backend, values, 5);
      backend.add(from, out);
      backend.multiply(from, times);
      check_values(added, out.download());
      check_values(product, times.download());
    }
}

OPERATION_TEST("dropout_backward: the gradient under the mask of the forward step") {
  Data data(4);
  for (const int64_t rows : kSizes)
    for (const int64_t width : kSizes)
      for (const double p : {0.0, 0.3}) {
        const Context context(sizes({rows, width}) + " p=" + show(p));
        const Table<float> gradient = data.table(rows, width, 1.0);
        DeviceMatrix out(backend, gradient, 7);
        backend.dropout_backward(make_dropout(p, random_stream(kSeed, Purpose::hidden_dropout, kStep, 2)), out);
        const Table<float> mask =
            reference::dropout_mask(p, kSeed, reference::kHiddenDropout + 256 * 2, kStep, rows, width);
        std::vector<int32_t> rows_in_order(rows);
        for (int64_t i = 0; i < rows; ++i) rows_in_order[i] = static_cast<int32_t>(i);
        check_values(gathered(gradient, rows_in_order, mask), out.download());
      }
}

}  // namespace gru4rec::test
