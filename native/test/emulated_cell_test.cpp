#include "device_layer.h"
#include "emulated_device.h"

/// What the CUDA back end launches for a step of a layer: a small one is one kernel forward, and one backward beside
/// the gradients of the parameters. On emulated GPUs, which count.
namespace gru4rec::test {

namespace {

/// Kernels and products of one call.
struct Nodes {
  uint64_t kernels, products;
};

template <class Call>
Nodes count_nodes(const Call& call) {
  const Gru4recEmulatorCounters before = emulated_device().counters();
  call();
  const Gru4recEmulatorCounters after = emulated_device().counters();
  return {after.launches - before.launches, after.products - before.products};
}

/// The nodes of a warm gru_forward and a warm gru_backward.
struct Expected {
  Nodes forward, backward;
  uint64_t state_products;  ///< more, where the gradient of the old state is wanted
};

void check_nodes(int64_t in, int64_t hidden, bool reset_after, const Expected& expected) {
  const Context context("in, H = " + std::to_string(in) + ", " + std::to_string(hidden) +
                        (reset_after ? " reset after" : " reset before"));
  const std::unique_ptr<Backend> backend = create_backend(emulated_device().options());
  Data data(1);
  const int64_t rows = 9;
  const reference::LayerTables tables = random_layer(data, in, hidden, reset_after, {ActivationKind::tanh, 1.0f, 1.0f});
  DeviceLayer layer(*backend, tables, rows, 0);
  DeviceMatrix gradient(*backend, data.table(rows, hidden, 1.0));
  const DeviceMatrix x(*backend, data.table(rows, in, 1.0)), h(*backend, data.table(rows, hidden, 1.0));
  if (in > 0) backend->copy(x, layer.input());
  backend->copy(h, layer.state());
  const Nodes forward =
      count_nodes([&] { backend->gru_forward(layer.layer, {}, Dropout(), layer.trace(), layer.hidden); });
  const auto backward_nodes = [&](const Matrix& state_gradient) {
    return count_nodes([&] {
      backend->gru_backward(layer.layer, layer.trace(), Dropout(), gradient, layer.gate_gradients,
                            in > 0 ? layer.input_gradient.view() : Matrix(), state_gradient, layer.gradients());
    });
  };
  const Nodes backward = backward_nodes({}), with_state = backward_nodes(layer.state_gradient);
  CHECK_EQUAL(expected.forward.kernels, forward.kernels);
  CHECK_EQUAL(expected.forward.products, forward.products);
  CHECK_EQUAL(expected.backward.kernels, backward.kernels);
  CHECK_EQUAL(expected.backward.products, backward.products);
  CHECK_EQUAL(backward.kernels, with_state.kernels);
  CHECK_EQUAL(backward.products + expected.state_products, with_state.products);
}

}  // namespace

TEST_CASE("cell: a step of a small layer is one kernel, backward one beside the parameters' gradients") {
  for (const auto& [in, hidden] : {std::pair{1, 1}, {100, 100}, {0, 31}, {256, 128}}) {
    check_nodes(in, hidden, false, {{1, 0}, {2, 2}, 0});
    check_nodes(in, hidden, true, {{1, 0}, in > 0 ? Nodes{3, 3} : Nodes{3, 2}, 0});
  }
}

TEST_CASE("cell: a step of a larger layer is made of products") {
  for (const auto& [in, hidden] : {std::pair{100, 129}, {257, 128}}) {
    check_nodes(in, hidden, false, {{2, 2}, {3, 4}, 1});
    check_nodes(in, hidden, true, {{1, 3}, {3, 5}, 2});
  }
}

}  // namespace gru4rec::test
