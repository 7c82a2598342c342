#include <cmath>
#include <limits>

#include "harness.h"
#include "reference/loss.h"
#include "reference/scores.h"

namespace gru4rec::test {

namespace {

using namespace reference;

struct Shape {
  int64_t rows, width, items, samples;
};

constexpr Shape kShapes[] = {{0, 31, 7, 3},     {1, 1, 1, 1},        {1, 33, 2, 0},
                             {31, 33, 257, 33}, {33, 31, 9, 257},    {257, 1, 33, 1},
                             {33, 257, 33, 31}, {32, 100, 500, 513}, {3, 1000, 5, 40}};

}  // namespace

PRODUCT_TEST("scores: products, bias and logQ over targets and samples, repeats included") {
  Data data(1);
  for (const Shape& shape : kShapes)
    for (const bool corrected : {false, true}) {
      const Context context("M, D, I, N = " + sizes({shape.rows, shape.width, shape.items, shape.samples}) +
                            (corrected ? " logQ" : ""));
      const Table<float> hidden = data.table(shape.rows, shape.width, 1.0);
      const Table<float> weight = data.table(shape.items, shape.width, 1.0), bias = data.table(shape.items, 1, 1.0);
      const std::vector<int32_t> items = data.items(shape.rows + shape.samples, shape.items);
      const std::vector<float> log_support = data.table(1, shape.items, 9.0).data;
      const double logq = 0.75, alpha = 0.5;

      Table<Number> expected = scores(as<Number>(hidden), as<Number>(weight), as<Number>(bias), items);
      if (corrected) {
        const std::vector<Number> exact(log_support.begin(), log_support.end());
        correct_for_popularity(logq, alpha, exact, items, shape.rows, expected);
      }
      const int64_t gap = corrected ? 5 : 0;
      const DeviceMatrix device_hidden(backend, hidden, 5), device_weight(backend, weight, gap);
      const DeviceMatrix device_bias(backend, bias, gap);
      const DeviceVector<int32_t> device_items(backend, items);
      const DeviceVector<float> device_log_support(backend, log_support);
      DeviceMatrix out(backend, shape.rows, static_cast<int64_t>(items.size()), 3);
      LogQ correction;
      if (corrected)
        correction = {device_log_support.data(), static_cast<float>(logq), static_cast<float>(logq * alpha),
                      shape.rows};
      backend.scores(device_hidden, device_weight, device_bias, device_items.span(), correction, out);
      CHECK_NUMBERS(expected.data, out.download().data);
    }
}

PRODUCT_TEST("scores: an empty list stands for all items") {
  Data data(2);
  for (const int64_t items : {1, 31, 33, 257})
    for (const int64_t rows : kSizes) {
      const Context context("M, I = " + sizes({rows, items}));
      const Table<float> hidden = data.table(rows, 33, 1.0), weight = data.table(items, 33, 1.0);
      const Table<float> bias = data.table(items, 1, 1.0);
      const DeviceMatrix device_hidden(backend, hidden), device_weight(backend, weight), device_bias(backend, bias);
      DeviceMatrix out(backend, rows, items);
      backend.scores(device_hidden, device_weight, device_bias, {}, {}, out);
      CHECK_NUMBERS(scores(as<Number>(hidden), as<Number>(weight), as<Number>(bias), all_items(items)).data,
                    out.download().data);
    }
}

PRODUCT_TEST("scores_backward: gradients of state, weights and bias, a row for each column, repeats not summed") {
  Data data(3);
  for (const Shape& shape : kShapes)
    for (const int64_t gap : {0, 5}) {
      const Context context("M, D, I, N = " + sizes({shape.rows, shape.width, shape.items, shape.samples}) + " gap " +
                            std::to_string(gap));
      const Table<float> hidden = data.table(shape.rows, shape.width, 1.0);
      const Table<float> weight = data.table(shape.items, shape.width, 1.0);
      const std::vector<int32_t> items = data.items(shape.rows + shape.samples, shape.items);
      const int64_t columns = static_cast<int64_t>(items.size());
      const Table<float> gradient = data.table(shape.rows, columns, 0.1);
      const ScoresBackward<Number> expected =
          scores_backward(as<Number>(gradient), as<Number>(hidden), as<Number>(weight), items);

      const DeviceMatrix device_gradient(backend, gradient, gap), device_hidden(backend, hidden, gap);
      const DeviceMatrix device_weight(backend, weight, gap);
      const DeviceVector<int32_t> device_items(backend, items);
      DeviceMatrix hidden_gradient(backend, shape.rows, shape.width, gap);
      DeviceMatrix weight_gradient(backend, columns, shape.width, gap), bias_gradient(backend, columns, 1, gap);
      const DeviceMatrix device_bias(backend, Table<float>(shape.items, 1));
      DeviceMatrix raw_scores(backend, shape.rows, columns);
      backend.scores(device_hidden, device_weight, device_bias, device_items.span(), {}, raw_scores);
      backend.scores_backward(device_gradient, device_hidden, device_weight, device_items.span(), hidden_gradient,
                              weight_gradient, bias_gradient);
      CHECK_NUMBERS(expected.hidden.data, hidden_gradient.download().data);
      CHECK_NUMBERS(expected.weight.data, weight_gradient.download().data);
      CHECK_NUMBERS(expected.bias.data, bias_gradient.download().data);
    }
}

OPERATION_TEST("activate_scores: elementwise activations and softmax over rows; softmax_logit leaves scores alone") {
  Data data(4);
  const int64_t shapes[][2] = {{0, 5}, {1, 1}, {31, 33}, {3, 257}, {2, 5000}};
  for (const auto& [rows, columns] : shapes)
    for (const double spread : {2.0, 100.0}) {
      const Table<float> table = data.table(rows, columns, spread);
      const auto activated = [&](const Activation& activation) {
        DeviceMatrix device(backend, table, 3);
        backend.activate_scores(activation, device);
        return device.download();
      };
      for (const NamedActivation& named : elementwise_activations()) {
        const Context context(named.name + " " + sizes({rows, columns}) + " spread " + show(spread));
        Table<Number> expected = as<Number>(table);
        for (Number& v : expected.data) v = activate(named.activation, v);
        CHECK_NUMBERS(expected.data, activated(named.activation).data);
      }
      const Context context("softmax " + sizes({rows, columns}) + " spread " + show(spread));
      const Table<float> shares = activated({ActivationKind::softmax, 1.0f, 1.0f});
      for (int64_t i = 0; i < rows; ++i)
        CHECK_NUMBERS(softmax(as<Number>(block(table, i, 1, 0, columns)).data, -1),
                      block(shares, i, 1, 0, columns).data);
      CHECK_BITS(table.data, activated({ActivationKind::softmax_logit, 1.0f, 1.0f}).data);
    }
}

OPERATION_TEST("activate_scores: softmax over 70,000 columns") {
  Data data(5);
  const Table<float> table = data.table(2, 70000, 3.0);
  DeviceMatrix device(backend, table, 1);
  backend.activate_scores({ActivationKind::softmax, 1.0f, 1.0f}, device);
  const Table<float> shares = device.download();
  for (int64_t i = 0; i < table.rows; ++i)
    CHECK_NUMBERS(softmax(as<Number>(block(table, i, 1, 0, table.cols)).data, -1),
                  block(shares, i, 1, 0, table.cols).data);
}

}  // namespace gru4rec::test
