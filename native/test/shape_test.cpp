#include <string>

#include "core/error.h"
#include "core/sampling_table.h"
#include "harness.h"

/// Public operations refuse arguments that do not fit together, before they touch any memory.
namespace gru4rec::test {

namespace {

/// Memory for any argument of these tests; what is in it does not matter.
struct Memory {
  explicit Memory(Backend& backend)
      : floats(backend, std::vector<float>(4096)),
        integers(backend, std::vector<int32_t>(256)),
        starts(backend, std::vector<int64_t>(64)),
        total(backend, std::vector<double>(1)),
        losses(backend, std::vector<LossTotals>(1)) {}

  Matrix m(int64_t rows, int64_t cols) const { return {floats.data(), rows, cols}; }
  Span<float> f(int64_t size) const { return floats.span().range(0, size); }
  Span<int32_t> i(int64_t size) const { return integers.span().range(0, size); }
  /// Groups of `n` rows.
  RowGroups groups(int64_t n) const { return {integers.data(), i(n), i(n + 1), i(n)}; }

  DeviceVector<float> floats;
  DeviceVector<int32_t> integers;
  DeviceVector<int64_t> starts;
  DeviceVector<double> total;
  DeviceVector<LossTotals> losses;
};

/// The call throws Error(argument) with a message that names the operation.
template <class F>
void refuses(const char* operation, int line, F&& call) {
  count_comparison();
  const std::string what = std::string(operation) + " of line " + std::to_string(line);
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::argument);
    const std::string message = error.what();
    if (message.find(operation) == std::string::npos || message.find("xpected") == std::string::npos)
      fail(__FILE__, line, what + ": expected a message that names the operation, received: " + message);
    return;
  }
  fail(__FILE__, line, what + ": expected an Error, received none");
}

#define REFUSES(operation, ...) refuses(#operation, __LINE__, [&] { backend.operation(__VA_ARGS__); })

/// M = 3, in = 2, H = 4.
GruLayer good_layer(const Memory& at) {
  return {at.m(6, 4), at.m(6, 8), at.m(1, 12), {}, {ActivationKind::tanh, 1.0f, 1.0f}};
}

}  // namespace

OPERATION_TEST("shapes: fill, copy and the inputs") {
  const Memory at(backend);
  const Dropout none, all{1u << 24, 1.0f, {}};
  REFUSES(fill, 1.0f, Matrix(at.floats.data(), -1, 3));
  REFUSES(fill, 1.0f, Matrix(nullptr, 2, 3));
  REFUSES(fill, 1.0f, Matrix(at.floats.data(), 2, 3, 2));  // stride below the columns
  REFUSES(copy, at.m(2, 3), at.m(3, 2));
  REFUSES(copy, at.m(2, 3), at.m(2, 4));
  REFUSES(copy, ConstMatrix(nullptr, 2, 3), at.m(2, 3));
  REFUSES(gather_rows, at.m(5, 3), at.i(4), none, at.m(3, 3));
  REFUSES(gather_rows, at.m(5, 3), at.i(4), none, at.m(4, 2));
  REFUSES(gather_rows, at.m(5, 3), at.i(4), all, at.m(4, 3));
  REFUSES(carry_state, at.m(5, 3), at.i(4), at.m(5, 3));
  REFUSES(carry_state, at.m(5, 3), at.i(4), at.m(4, 4));
  REFUSES(dropout_backward, all, at.m(2, 3));
  REFUSES(carry_items, at.i(4), at.i(5), at.i(4));
  REFUSES(carry_items, at.i(4), {}, at.i(3));
  REFUSES(add, at.m(2, 3), at.m(3, 3));
  REFUSES(multiply, at.m(2, 3), at.m(2, 4));
}

OPERATION_TEST("shapes: GRU") {
  const Memory at(backend);
  const Dropout none;
  const GruTrace trace{at.m(3, 10), at.m(3, 12)};
  const auto with = [&](auto change) {
    GruLayer layer = good_layer(at);
    change(layer);
    return layer;
  };
  const auto forward = [&](const GruLayer& layer, int line) {
    refuses("gru_forward", line, [&] { backend.gru_forward(layer, {}, none, trace, at.m(3, 4)); });
  };
  forward(with([&](GruLayer& l) { l.candidate = at.m(3, 4); }), __LINE__);
  forward(with([&](GruLayer& l) { l.gates = at.m(5, 8); }), __LINE__);
  forward(with([&](GruLayer& l) { l.gates = at.m(6, 12); }), __LINE__);
  forward(with([&](GruLayer& l) { l.bias = at.m(1, 8); }), __LINE__);
  forward(with([&](GruLayer& l) { l.candidate_hidden_bias = at.m(1, 5); }), __LINE__);
  forward(with([&](GruLayer& l) { l.activation.kind = ActivationKind::softmax; }), __LINE__);
  REFUSES(gru_forward, good_layer(at), at.m(3, 8), none, trace, at.m(3, 4));
  REFUSES(gru_forward, good_layer(at), at.m(2, 12), none, trace, at.m(3, 4));
  REFUSES(gru_forward, good_layer(at), {}, none, {at.m(3, 9), at.m(3, 12)}, at.m(3, 4));
  REFUSES(gru_forward, good_layer(at), {}, none, {at.m(3, 10), at.m(2, 12)}, at.m(3, 4));
  REFUSES(gru_forward, good_layer(at), {}, none, trace, at.m(3, 5));
  REFUSES(gru_forward, good_layer(at), {}, none, trace, at.m(2, 4));

  const GruGradients good{at.m(6, 4), at.m(6, 8), at.m(1, 12), {}};
  const auto gradients = [&](auto change) {
    GruGradients out = good;
    change(out);
    return out;
  };
  REFUSES(gru_backward, good_layer(at), trace, none, at.m(2, 4), at.m(3, 12), at.m(3, 2), {}, good);
  REFUSES(gru_backward, good_layer(at), trace, none, at.m(3, 4), at.m(3, 8), at.m(3, 2), {}, good);
  REFUSES(gru_backward, good_layer(at), trace, none, at.m(3, 4), at.m(3, 12), at.m(3, 4), {}, good);
  REFUSES(gru_backward, good_layer(at), trace, none, at.m(3, 4), at.m(3, 12), {}, {},
          gradients([&](GruGradients& g) { g.candidate = at.m(4, 4); }));
  REFUSES(gru_backward, good_layer(at), trace, none, at.m(3, 4), at.m(3, 12), {}, {},
          gradients([&](GruGradients& g) { g.gates = at.m(6, 4); }));
  REFUSES(gru_backward, good_layer(at), trace, none, at.m(3, 4), at.m(3, 12), {}, {},
          gradients([&](GruGradients& g) { g.bias = at.m(3, 4); }));
  const GruLayer after = with([&](GruLayer& l) { l.candidate_hidden_bias = at.m(1, 4); });
  REFUSES(gru_backward, good_layer(at), trace, none, at.m(3, 4), at.m(3, 12), {}, at.m(3, 2), good);
  REFUSES(gru_backward, after, trace, none, at.m(3, 4), at.m(3, 12), {}, {}, good);
}

OPERATION_TEST("shapes: scores and losses") {
  const Memory at(backend);
  // M = 3, D = 4, I = 9, C = 5
  REFUSES(scores, at.m(3, 4), at.m(9, 5), at.m(9, 1), at.i(5), {}, at.m(3, 5));
  REFUSES(scores, at.m(3, 4), at.m(9, 4), at.m(8, 1), at.i(5), {}, at.m(3, 5));
  REFUSES(scores, at.m(3, 4), at.m(9, 4), at.m(9, 1), at.i(5), {}, at.m(3, 6));
  REFUSES(scores, at.m(3, 4), at.m(9, 4), at.m(9, 1), {}, {}, at.m(3, 5));
  REFUSES(scores, at.m(3, 4), at.m(9, 4), at.m(9, 1), at.i(5), {at.floats.data(), 1.0f, 1.0f, 6}, at.m(3, 5));
  REFUSES(scores, at.m(3, 4), at.m(0, 4), at.m(0, 1), at.i(5), {}, at.m(3, 5));

  const Activation softmax{ActivationKind::softmax, 1.0f, 1.0f}, logits{ActivationKind::softmax_logit, 1.0f, 1.0f};
  const Loss cross{LossKind::cross_entropy, 0.0f, 1.0f, softmax};
  REFUSES(loss_gradient, cross, 3, nullptr, at.m(3, 5), at.f(2));
  REFUSES(loss_gradient, cross, 0, nullptr, at.m(3, 5), at.f(3));
  REFUSES(loss_gradient, cross, 3, nullptr, at.m(3, 2), at.f(3));  // fewer columns than targets
  REFUSES(loss_gradient, cross, 3, nullptr, at.m(1, 1), at.f(1));  // no negative
  REFUSES(loss_gradient, (Loss{LossKind::cross_entropy, 0.0f, 1.0f, logits}), 3, nullptr, at.m(3, 5), at.f(3));
  REFUSES(loss_gradient, (Loss{LossKind::xe_logit, 0.0f, 1.0f, softmax}), 3, nullptr, at.m(3, 5), at.f(3));
  REFUSES(loss_gradient, (Loss{LossKind::bpr_max, 0.0f, 1.0f, softmax}), 3, nullptr, at.m(3, 5), at.f(3));
  REFUSES(accumulate_loss, at.f(3), 0, nullptr, at.losses.data());
  REFUSES(accumulate_loss, at.f(3), 3, nullptr, nullptr);

  REFUSES(scores_backward, at.m(3, 6), at.m(3, 4), at.m(9, 4), at.i(5), at.m(3, 4), at.m(5, 4), at.m(5, 1));
  REFUSES(scores_backward, at.m(2, 5), at.m(3, 4), at.m(9, 4), at.i(5), at.m(3, 4), at.m(5, 4), at.m(5, 1));
  REFUSES(scores_backward, at.m(3, 5), at.m(3, 4), at.m(9, 5), at.i(5), at.m(3, 4), at.m(5, 4), at.m(5, 1));
  REFUSES(scores_backward, at.m(3, 5), at.m(3, 4), at.m(9, 4), at.i(5), at.m(3, 5), at.m(5, 4), at.m(5, 1));
  REFUSES(scores_backward, at.m(3, 5), at.m(3, 4), at.m(9, 4), at.i(5), at.m(3, 4), at.m(9, 4), at.m(5, 1));
  REFUSES(scores_backward, at.m(3, 5), at.m(3, 4), at.m(9, 4), at.i(5), at.m(3, 4), at.m(5, 4), at.m(1, 5));
  REFUSES(activate_scores, softmax, Matrix(nullptr, 3, 5));
}

OPERATION_TEST("shapes: negatives") {
  const Memory at(backend);
  const std::vector<uint32_t> support{1, 2, 3};
  const SamplingTable table({support.data(), 3}, 1.0);
  const MatrixView<int32_t> samples{at.integers.data(), 2, 5};
  SamplingTableView view = table.view();
  REFUSES(draw_negatives, view, {}, MatrixView<int32_t>(nullptr, 2, 5));
  REFUSES(draw_negatives, view, {}, MatrixView<int32_t>(at.integers.data(), 2, 5, 4));
  view.items = 0;
  REFUSES(draw_negatives, view, {}, samples);
  view = table.view();
  view.guide = nullptr;
  REFUSES(draw_negatives, view, {}, samples);
}

OPERATION_TEST("shapes: grouping, norms and updates") {
  const Memory at(backend);
  RowGroups short_start = at.groups(4);
  short_start.start = at.i(4);
  REFUSES(group_rows, at.i(5), 9, at.groups(4));
  REFUSES(group_rows, at.i(4), 9, short_start);
  REFUSES(group_rows, at.i(4), 0, at.groups(4));
  REFUSES(add_squared_norm, at.m(2, 3), nullptr);
  REFUSES(add_squared_norm_rows, at.groups(4), at.m(4, 3), nullptr);
  REFUSES(clip_scale, 0.0, at.total.data(), at.floats.data());
  REFUSES(clip_scale, 1.0, nullptr, at.floats.data());
  REFUSES(clip_scale, 1.0, at.total.data(), nullptr);

  const struct {
    OptimiserKind kind;
    bool first, second, updates;
  } kinds[] = {{OptimiserKind::adagrad, true, false, false},
               {OptimiserKind::sgd, false, false, false},
               {OptimiserKind::rmsprop, true, false, false},
               {OptimiserKind::adadelta, true, true, false},
               {OptimiserKind::adam, true, true, true}};
  for (const auto& kind : kinds) {
    Optimiser optimiser;
    optimiser.kind = kind.kind;
    optimiser.momentum = 0.5f;
    const auto check = [&](const TrainableMatrix& dense, const TrainableMatrix& table) {
      REFUSES(update_dense, optimiser, at.m(1, 8), nullptr, dense);
      REFUSES(update_rows, optimiser, at.groups(4), at.m(4, 8), nullptr, table);
    };
    const TrainableMatrix dense{at.m(1, 8), at.m(1, 8), at.m(1, 8), at.m(1, 8), at.i(1)};
    const TrainableMatrix table{at.m(9, 8), at.m(9, 8), at.m(9, 8), at.m(9, 8), at.i(9)};
    const auto without = [&](auto change) {
      TrainableMatrix changed_dense = dense, changed_table = table;
      change(changed_dense);
      change(changed_table);
      check(changed_dense, changed_table);
    };
    without([&](TrainableMatrix& m) { m.value.cols = 7; });
    without([&](TrainableMatrix& m) { m.velocity = {}; });
    if (kind.first) without([&](TrainableMatrix& m) { m.first.cols = 7; });
    if (kind.second) without([&](TrainableMatrix& m) { m.second = {}; });
    if (kind.updates) without([&](TrainableMatrix& m) { m.updates = at.i(3); });
  }
}

OPERATION_TEST("shapes: rankings") {
  const Memory at(backend);
  // M = 3, D = 4, I = 9, k = 5
  REFUSES(target_ranks, at.m(3, 4), at.m(9, 5), at.m(9, 1), at.i(3), {}, at.i(3), at.i(3));
  REFUSES(target_ranks, at.m(3, 4), at.m(9, 4), at.m(9, 2), at.i(3), {}, at.i(3), at.i(3));
  REFUSES(target_ranks, at.m(3, 4), at.m(9, 4), at.m(9, 1), at.i(2), {}, at.i(3), at.i(3));
  REFUSES(target_ranks, at.m(3, 4), at.m(9, 4), at.m(9, 1), at.i(3), {}, at.i(2), at.i(3));
  REFUSES(target_ranks, at.m(3, 4), at.m(9, 4), at.m(9, 1), at.i(3), {}, at.i(3), at.i(4));
  REFUSES(target_ranks, at.m(3, 4), at.m(9, 4), at.m(9, 1), at.i(3), {true, {nullptr, 2}}, at.i(3), at.i(3));

  REFUSES(top_k, at.m(3, 4), at.m(9, 4), at.m(9, 1), 0, {}, {}, at.i(0), at.m(3, 0), {});
  REFUSES(top_k, at.m(3, 4), at.m(9, 4), at.m(9, 1), 10, {}, {}, at.i(30), at.m(3, 10), {});
  REFUSES(top_k, at.m(3, 4), at.m(9, 4), at.m(9, 1), 5, {}, {}, at.i(14), at.m(3, 5), {});
  REFUSES(top_k, at.m(3, 4), at.m(9, 4), at.m(9, 1), 5, {}, {}, at.i(15), at.m(3, 4), {});
  REFUSES(top_k, at.m(3, 4), at.m(9, 4), at.m(9, 1), 5, {}, {}, at.i(15), at.m(3, 5), at.f(2));
  REFUSES(top_k, at.m(3, 4), at.m(9, 4), at.m(9, 1), 5, {}, {at.starts.span().range(0, 3), {}}, at.i(15), at.m(3, 5),
          {});
}

}  // namespace gru4rec::test
