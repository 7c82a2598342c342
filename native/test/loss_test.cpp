#include <array>
#include <cmath>
#include <limits>

#include "harness.h"
#include "losses.h"
#include "reference/difference.h"
#include "reference/loss.h"

namespace gru4rec::test {

namespace {

using namespace reference;

struct Received {
  std::vector<float> row_losses;
  Table<float> gradient;
};

Received run(Backend& backend, const Loss& loss, int64_t divisor, const Table<float>& scores, int64_t gap) {
  DeviceMatrix device(backend, scores, gap);
  DeviceVector<float> row_losses(backend, scores.rows);
  backend.loss_gradient(loss, divisor, nullptr, device, row_losses.span());
  return {row_losses.download(), device.download()};
}

void compare(Backend& backend, const Loss& loss, int64_t divisor, const Table<float>& scores) {
  const LossResult<Number> expected = loss_gradient(loss, divisor, as<Number>(scores));
  const Received received = run(backend, loss, divisor, scores, 3);
  CHECK_NUMBERS(expected.row_losses, received.row_losses);
  // Row by row: one with large gradients must not hide one with small ones.
  for (int64_t i = 0; i < scores.rows; ++i) {
    const Context context("row " + std::to_string(i));
    CHECK_NUMBERS(block(expected.gradient, i, 1, 0, scores.cols).data,
                  block(received.gradient, i, 1, 0, scores.cols).data);
  }
}

}  // namespace

TEST_CASE("loss reference: gradients agree with central differences for every loss and activation") {
  Data data(1);
  for (const NamedLoss& named : all_losses())
    for (const int64_t columns : {2, 3, 8}) {
      const Context context(named.name + " C=" + std::to_string(columns));
      for (int64_t target = 0; target < columns; ++target) {
        std::vector<double> scores(columns);
        for (double& s : scores) s = (data.integer(0, 1) == 0 ? -1.0 : 1.0) * data.uniform(0.01, 3.0);
        const std::vector<double> gradient = row_loss_gradient(named.loss, scores, target);
        for (int64_t k = 0; k < columns; ++k)
          CHECK_NEAR(derivative([&] { return row_loss(named.loss, scores, target); }, scores[k]), gradient[k],
                     difference_tolerance(gradient[k]));
      }
    }
}

TEST_CASE("loss reference: hand-computed terms of two and three columns") {
  const Activation linear;
  const std::vector<double> scores{0.5, -1.0, 2.0};
  const auto sig = [](double x) { return 1.0 / (1.0 + std::exp(-x)); };
  const double e0 = std::exp(0.5), e1 = std::exp(-1.0), e2 = std::exp(2.0), w1 = e1 / (e1 + e2), w2 = e2 / (e1 + e2);
  const auto loss = [&](LossKind kind, float smoothing = 0.0f, float bpreg = 0.5f) {
    return row_loss(Loss{kind, smoothing, bpreg, linear}, scores, 0);
  };
  const double p = e0 / (e0 + e1 + e2);
  CHECK_NEAR(-std::log(p), loss(LossKind::cross_entropy), 1e-12);
  CHECK_NEAR(-std::log(p), loss(LossKind::xe_logit), 1e-12);
  const double others = -std::log(e1 / (e0 + e1 + e2)) - std::log(e2 / (e0 + e1 + e2));
  // 1 - 1.5 e of the target's term and e / 2 of all three: 1 - e and e / 2 of the others.
  CHECK_NEAR(0.75 * -std::log(p) + 0.125 * others, loss(LossKind::xe_logit, 0.25f), 1e-12);
  CHECK_NEAR(0.75 * -std::log(p) + 0.125 * others, loss(LossKind::cross_entropy, 0.25f), 1e-12);
  CHECK_NEAR(std::log(2.0) + std::log1p(std::exp(-1.5)) + std::log1p(std::exp(1.5)), loss(LossKind::bpr), 1e-12);
  CHECK_NEAR(-std::log(w1 * sig(1.5) + w2 * sig(-1.5)) + 0.5 * (w1 + w2 * 4.0), loss(LossKind::bpr_max), 1e-12);
  CHECK_NEAR((sig(-1.5) + sig(1.0) + sig(1.5) + sig(4.0) + 0.5) / 3.0, loss(LossKind::top1), 1e-12);
  CHECK_NEAR(w1 * (sig(-1.5) + sig(1.0)) + w2 * (sig(1.5) + sig(4.0)), loss(LossKind::top1_max), 1e-12);
}

OPERATION_TEST("loss_gradient: every loss and activation at awkward sizes, also with fewer rows than the batch") {
  Data data(2);
  using Shapes = std::vector<std::array<int64_t, 2>>;
  const Shapes shapes = unless_sanitized(Shapes{{1, 2}, {2, 2}, {31, 33}, {33, 33}, {1, 257}, {33, 257}, {31, 600}},
                                         Shapes{{1, 2}, {3, 33}, {2, 257}, {2, 600}});
  for (const NamedLoss& named : all_losses())
    for (const auto& [rows, columns] : shapes) {
      const int64_t divisor = data.integer(0, 1) == 0 ? rows : rows + 7;
      const Context context(named.name + " " + sizes({rows, columns}) + " B=" + std::to_string(divisor));
      compare(backend, named.loss, divisor, data.table(rows, columns, 2.0));
    }
}

OPERATION_TEST("loss_gradient: 5000 columns") {
  Data data(3);
  for (const NamedLoss& named : all_losses()) {
    const Context context(named.name);
    compare(backend, named.loss, 2, data.table(2, 5000, 4.0));
  }
}

OPERATION_TEST("loss_gradient: scores of +-100, widely spread, all equal and equal in pairs") {
  Data data(4);
  const int64_t rows = 5, columns = 64;
  Table<float> far(rows, columns), wide(rows, columns), equal(rows, columns, 0.75f), pairs(rows, columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      far(i, j) = data.integer(0, 1) == 0 ? -100.0f : 100.0f;
      wide(i, j) = static_cast<float>(data.uniform(-100.0, 100.0));
      pairs(i, j) = static_cast<float>(data.integer(-2, 2));
    }
  // Targets far ahead, far behind, in the middle.
  for (int64_t j = 0; j < columns; ++j) {
    wide(0, j) = j == 0 ? 90.0f : -90.0f + static_cast<float>(j);
    wide(1, j) = j == 1 ? -90.0f : 90.0f - static_cast<float>(j);
    far(2, j) = j == 2 ? 100.0f : -100.0f;
    far(3, j) = j == 3 ? -100.0f : 100.0f;
  }
  for (const NamedLoss& named : all_losses()) {
    const auto check = [&](const char* what, const Table<float>& scores) {
      const Context context(named.name + " " + what);
      compare(backend, named.loss, rows, scores);
    };
    check("far", far);
    check("wide", wide);
    check("equal", equal);
    check("pairs", pairs);
  }
}

OPERATION_TEST("loss_gradient: a score that is not a number makes the loss of its row, and only of it, not finite") {
  Data data(5);
  const Table<float> clean = data.table(5, 70, 1.0);
  for (const NamedLoss& named : all_losses()) {
    const Received expected = run(backend, named.loss, 5, clean, 0);
    for (const int64_t column : {0, 2, 33, 69}) {
      const Context context(named.name + " column " + std::to_string(column));
      Table<float> scores = clean;
      scores(2, column) = std::numeric_limits<float>::quiet_NaN();
      const Received received = run(backend, named.loss, 5, scores, 0);
      for (int64_t i = 0; i < 5; ++i) {
        if (i == 2) {
          CHECK(!std::isfinite(received.row_losses[i]));
        } else {
          CHECK_BITS(block(expected.gradient, i, 1, 0, 70).data, block(received.gradient, i, 1, 0, 70).data);
          CHECK_EQUAL(expected.row_losses[i], received.row_losses[i]);
        }
      }
    }
  }
}

OPERATION_TEST("loss_gradient: no rows, no change") {
  const Received received = run(backend, Loss{LossKind::bpr, 0.0f, 1.0f, {}}, 3, Table<float>(0, 33), 0);
  CHECK(received.row_losses.empty());
}

OPERATION_TEST("accumulate_loss: sums M * loss, M and steps, and remembers the first step that was not finite") {
  Data data(6);
  DeviceVector<LossTotals> totals(backend, std::vector<LossTotals>{LossTotals()});
  Number weighted_sum = 0.0;
  double weight = 0.0;
  int64_t steps = 0;
  for (const int64_t rows : {1, 31, 33, 257, 2, 0}) {
    const int64_t divisor = rows + 3;
    const std::vector<float> losses = data.table(1, rows, 5.0).data;
    const DeviceVector<float> device(backend, losses);
    backend.accumulate_loss(device.span(), divisor, nullptr, totals.data());
    Total<Number> sum;
    for (const float loss : losses) sum.add(double{loss});
    const Number step_loss = sum.sum() / Number(static_cast<double>(divisor));
    weighted_sum = weighted_sum + Number(static_cast<double>(rows)) * step_loss;
    weight += static_cast<double>(rows);
    const LossTotals received = totals.download()[0];
    CHECK_NEAR(weighted_sum.value, received.weighted_sum, kSlack * weighted_sum.error);
    CHECK_EQUAL(weight, received.weight);
    CHECK_EQUAL(++steps, received.steps);
    CHECK_EQUAL(-1, received.first_bad_step);
  }
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const DeviceVector<float> device(backend, std::vector<float>{1.0f, bad, 2.0f});
    backend.accumulate_loss(device.span(), 3, nullptr, totals.data());
    CHECK_EQUAL(++steps, totals.download()[0].steps);
    CHECK_EQUAL(6, totals.download()[0].first_bad_step);
  }
}

}  // namespace gru4rec::test
