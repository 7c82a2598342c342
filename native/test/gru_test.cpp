#include <cmath>
#include <limits>

#include "device_layer.h"
#include "reference/difference.h"
#include "reference/random.h"

namespace gru4rec::test {

namespace {

using namespace reference;

constexpr uint64_t kSeed = 77, kTrainingStep = 12345;

struct Shape {
  int64_t rows, in, hidden;
};

/// Layers that the CUDA back end does by its cell and by products of matrices: it decides by their sizes.
constexpr Shape kSmall{33, 33, 31}, kLarge{5, 17, 131};

/// One layer with its inputs.
struct Setup {
  LayerTables layer;
  Table<float> input_gates;  ///< [M, 3H] or empty
  Table<float> x, h, gradient;
  double dropout = 0.0;

  Table<float> mask() const {
    return dropout_mask(dropout, kSeed, kHiddenDropout + 256, kTrainingStep, h.rows, h.cols);
  }
};

Setup random_setup(uint64_t seed, const Shape& shape, bool input_gates, bool reset_after, const Activation& activation,
                   double dropout) {
  Data data(seed);
  Setup setup;
  setup.layer = random_layer(data, shape.in, shape.hidden, reset_after, activation);
  if (input_gates) setup.input_gates = data.table(shape.rows, 3 * shape.hidden, 1.0);
  setup.x = data.table(shape.rows, shape.in, 1.0);
  setup.h = data.table(shape.rows, shape.hidden, 1.0);
  setup.gradient = data.table(shape.rows, shape.hidden, 1.0);
  setup.dropout = dropout;
  return setup;
}

template <class T>
GruStep<T> forward(const Setup& s) {
  return gru_forward(split<T>(s.layer), s.layer.activation, as<T>(s.input_gates), as<T>(s.x), as<T>(s.h),
                     as<T>(s.mask()));
}

/// Runs the step and its gradients on the back end and compares everything that they write with the reference.
void compare(Backend& backend, const Setup& s) {
  const GruStep<Number> step = forward<Number>(s);
  const GruBackward<Number> back =
      gru_backward(split<Number>(s.layer), s.layer.activation, step, as<Number>(s.gradient));
  const JoinedParameters<Number> gradients = join(back.parameters);

  DeviceLayer device(backend, s.layer, s.h.rows, 5);
  const DeviceMatrix input_gates(backend, s.input_gates, 3), x(backend, s.x), h(backend, s.h);
  DeviceMatrix gradient(backend, s.gradient, 9);
  const Dropout dropout = make_dropout(s.dropout, random_stream(kSeed, Purpose::hidden_dropout, kTrainingStep, 1));
  backend.copy(x, device.input());
  backend.copy(h, device.state());
  backend.gru_forward(device.layer, input_gates, dropout, device.trace(), device.hidden);

  CHECK_NUMBERS(step.hidden.data, device.hidden.download().data);
  const Table<float> joined = device.joined.download(), activated = device.activated.download();
  const int64_t m = s.h.rows, width = s.h.cols;
  CHECK_NUMBERS(step.reset_state.data, block(joined, 0, m, 0, width).data);
  CHECK_BITS(s.x.data, block(joined, 0, m, width, s.x.cols).data);
  CHECK_BITS(s.h.data, block(joined, 0, m, width + s.x.cols, width).data);
  CHECK_NUMBERS(step.c.data, block(activated, 0, m, 0, width).data);
  CHECK_NUMBERS(step.r.data, block(activated, 0, m, width, width).data);
  CHECK_NUMBERS(step.z.data, block(activated, 0, m, 2 * width, width).data);

  const bool wants_input = s.x.cols > 0;
  backend.gru_backward(device.layer, device.trace(), dropout, gradient, device.gate_gradients,
                       wants_input ? device.input_gradient.view() : Matrix(), device.state_gradient,
                       device.gradients());
  CHECK_NUMBERS(back.gates.data, device.gate_gradients.download().data);
  if (wants_input) CHECK_NUMBERS(back.x.data, device.input_gradient.download().data);
  CHECK_NUMBERS(back.h.data, device.state_gradient.download().data);
  CHECK_NUMBERS(gradients.candidate.data, device.candidate_gradient.download().data);
  CHECK_NUMBERS(gradients.gates.data, device.gates_gradient.download().data);
  CHECK_NUMBERS(gradients.bias.data, device.bias_gradient.download().data);
  CHECK_NUMBERS(gradients.candidate_hidden_bias.data, device.candidate_hidden_bias_gradient.download().data);

  // A second time, added to the first.
  GruGradients added = device.gradients();
  added.add = true;
  gradient.upload(s.gradient);
  backend.gru_backward(device.layer, device.trace(), dropout, gradient, device.gate_gradients, Matrix(), Matrix(),
                       added);
  const auto twice = [](const Table<Number>& once) { return sum(once, once).data; };
  CHECK_NUMBERS(twice(gradients.candidate), device.candidate_gradient.download().data);
  CHECK_NUMBERS(twice(gradients.gates), device.gates_gradient.download().data);
  CHECK_NUMBERS(twice(gradients.bias), device.bias_gradient.download().data);
  CHECK_NUMBERS(twice(gradients.candidate_hidden_bias), device.candidate_hidden_bias_gradient.download().data);

  // Whatever else is wanted, the parameters' gradients are the same, bit for bit.
  const auto parameters_with = [&](const Matrix& input_gradient, const Matrix& state_gradient) {
    gradient.upload(s.gradient);
    backend.gru_backward(device.layer, device.trace(), dropout, gradient, device.gate_gradients, input_gradient,
                         state_gradient, device.gradients());
    std::vector<float> all;
    for (const DeviceMatrix* part : {&device.candidate_gradient, &device.gates_gradient, &device.bias_gradient,
                                     &device.candidate_hidden_bias_gradient}) {
      const std::vector<float> values = part->download().data;
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  };
  const std::vector<float> alone = parameters_with(Matrix(), Matrix());
  CHECK_BITS(alone, parameters_with(Matrix(), device.state_gradient));
  if (wants_input) CHECK_BITS(alone, parameters_with(device.input_gradient, Matrix()));
}

std::string describe(const Shape& shape, bool input_gates, bool reset_after, const std::string& activation, double p) {
  return "M, in, H = " + sizes({shape.rows, shape.in, shape.hidden}) + (input_gates ? " with input gates" : "") +
         (reset_after ? " reset after " : " reset before ") + activation + " p=" + show(p);
}

}  // namespace

TEST_CASE("gru reference: gradients agree with central differences for every activation, reset form and input") {
  uint64_t seed = 100;
  for (const NamedActivation& named : elementwise_activations())
    for (const bool reset_after : {false, true})
      for (const bool input_gates : {false, true})
        for (const double p : {0.0, 0.4}) {
          const Shape shape{3, input_gates ? 0 : 2, 4};
          const Context context(describe(shape, input_gates, reset_after, named.name, p));
          const Setup s = random_setup(++seed, shape, input_gates, reset_after, named.activation, p);
          GruParameters<double> parameters = split<double>(s.layer);
          Table<double> gates = as<double>(s.input_gates), x = as<double>(s.x), h = as<double>(s.h);
          const Table<double> mask = as<double>(s.mask()), weight = as<double>(s.gradient);
          const auto step = [&] { return gru_forward(parameters, named.activation, gates, x, h, mask); };
          // A loss that has `weight` as its gradient by the new state.
          const auto loss = [&] {
            const GruStep<double> now = step();
            double total = 0.0;
            for (size_t i = 0; i < weight.data.size(); ++i) total += weight.data[i] * now.hidden.data[i];
            return total;
          };
          const GruStep<double> now = step();
          // Differences across the kink of an activation would say nothing.
          for (const double a : now.ac.data) CHECK(std::abs(a) > 10.0 * kStep);
          GruBackward<double> back = gru_backward(parameters, named.activation, now, weight);

          const auto check = [&](Table<double>& table, const Table<double>& gradient) {
            CHECK_EQUAL(table.data.size(), gradient.data.size());
            for (size_t i = 0; i < table.data.size(); ++i)
              CHECK_NEAR(derivative(loss, table.data[i]), gradient.data[i], difference_tolerance(gradient.data[i]));
          };
          check(parameters.wxc, back.parameters.wxc);
          check(parameters.wxr, back.parameters.wxr);
          check(parameters.wxz, back.parameters.wxz);
          check(parameters.whc, back.parameters.whc);
          check(parameters.whr, back.parameters.whr);
          check(parameters.whz, back.parameters.whz);
          check(parameters.bc, back.parameters.bc);
          check(parameters.br, back.parameters.br);
          check(parameters.bz, back.parameters.bz);
          check(parameters.bhc, back.parameters.bhc);
          check(x, back.x);
          check(h, back.h);
          if (input_gates) check(gates, back.gates);
        }
}

PRODUCT_TEST("gru: agrees with the reference for every activation, reset form, input and dropout") {
  uint64_t seed = 200;
  for (const NamedActivation& named : elementwise_activations())
    for (const bool reset_after : {false, true})
      for (const bool input_gates : {false, true})
        for (const double p : {0.0, 0.4})
          for (Shape shape : {kSmall, kLarge}) {
            if (input_gates) shape.in = 0;
            const Context context(describe(shape, input_gates, reset_after, named.name, p));
            compare(backend, random_setup(++seed, shape, input_gates, reset_after, named.activation, p));
          }
}

PRODUCT_TEST("gru: agrees with the reference at awkward sizes") {
  const Shape shapes[] = {{0, 31, 31},
                          {1, 1, 1},
                          {1, 33, 257},
                          {31, 257, 1},
                          {33, 1, 31},
                          {33, 257, 33},
                          {257, 31, 33},
                          {32, 100, 100},
                          {1, 0, 31},
                          {33, 0, 257},
                          {257, 0, 1},
                          {0, 0, 33},
                          // About the largest layers of the CUDA cell.
                          {6, 128, 128},
                          {3, 129, 129},
                          {5, 256, 127},
                          {7, 257, 128},
                          {2, 0, 128},
                          {9, 1, 100}};
  uint64_t seed = 300;
  for (const Shape& shape : shapes)
    for (const bool reset_after : {false, true}) {
      const bool input_gates = shape.in == 0;
      const Context context(describe(shape, input_gates, reset_after, "tanh", 0.25));
      compare(backend, random_setup(++seed, shape, input_gates, reset_after, {ActivationKind::tanh, 1.0f, 1.0f}, 0.25));
    }
}

PRODUCT_TEST("gru: from nothing but zeros, where the slopes are those at exactly 0") {
  for (const NamedActivation& named : elementwise_activations())
    for (const bool reset_after : {false, true})
      for (const Shape& shape : {kSmall, kLarge}) {
        const Context context(describe(shape, false, reset_after, named.name, 0.0));
        Setup s = random_setup(8, shape, false, reset_after, named.activation, 0.0);
        for (Table<float>* zero : {&s.x, &s.h, &s.layer.bias, &s.layer.candidate_hidden_bias})
          *zero = Table<float>(zero->rows, zero->cols);
        compare(backend, s);
      }
}

PRODUCT_TEST("gru: saturated gates keep or replace the state exactly") {
  // Update gates of 0 and 1 by biases of -200 and 200: the new state is the old one and the candidate.
  for (const bool reset_after : {false, true})
    for (const Shape& shape : {kSmall, kLarge}) {
      const int64_t width = shape.hidden;
      const Context context(describe(shape, false, reset_after, "tanh", 0.0));
      Setup s = random_setup(7, shape, false, reset_after, {ActivationKind::tanh, 1.0f, 1.0f}, 0.0);
      for (int64_t d = 0; d < width; ++d) {
        s.layer.bias(0, width + d) = d % 3 == 0 ? 200.0f : -200.0f;
        s.layer.bias(0, 2 * width + d) = d % 2 == 0 ? 200.0f : -200.0f;
      }
      compare(backend, s);
    }
}

PRODUCT_TEST("gru: what is not a number stays so in its row, and only there") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const NamedActivation& named : elementwise_activations())
    for (const bool reset_after : {false, true})
      for (const Shape& shape : {kSmall, kLarge}) {
        const Setup clean = random_setup(9, shape, false, reset_after, named.activation, 0.0);
        const auto hidden = [&](const Setup& s) {
          DeviceLayer device(backend, s.layer, s.h.rows, 0);
          const DeviceMatrix x(backend, s.x), h(backend, s.h);
          backend.copy(x, device.input());
          backend.copy(h, device.state());
          backend.gru_forward(device.layer, {}, Dropout(), device.trace(), device.hidden);
          return device.hidden.download();
        };
        const Table<float> expected = hidden(clean);
        for (const int64_t row : {int64_t{0}, shape.rows / 2, shape.rows - 1})
          for (const bool in_state : {false, true}) {
            const Context context(describe(shape, false, reset_after, named.name, 0.0) + ", row " +
                                  std::to_string(row) + (in_state ? " of the state" : " of the input"));
            Setup s = clean;
            Table<float>& poisoned = in_state ? s.h : s.x;
            poisoned(row, poisoned.cols - 1) = nan;
            const Table<float> received = hidden(s);
            for (int64_t i = 0; i < shape.rows; ++i)
              for (int64_t d = 0; d < shape.hidden; ++d)
                if (i == row) {
                  CHECK(std::isnan(received(i, d)));
                } else {
                  CHECK_EQUAL(expected(i, d), received(i, d));
                }
          }
      }
}

}  // namespace gru4rec::test
