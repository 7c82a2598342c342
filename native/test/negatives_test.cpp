#include <cmath>
#include <string>

#include "core/sampling_table.h"
#include "harness.h"
#include "reference/random.h"

namespace gru4rec::test {

namespace {

using namespace reference;

constexpr uint64_t kSeed = 0xC0FFEE0012345678u;

/// A sampling table in the memory of a back end.
struct DeviceTable {
  DeviceTable(Backend& backend, const SamplingTable& table)
      : cumulative(backend, table.cumulative()), guide(backend, table.guide()), view(table.view()) {
    view.cumulative = cumulative.data();
    view.guide = guide.data();
  }

  DeviceVector<uint64_t> cumulative;
  DeviceVector<int32_t> guide;
  SamplingTableView view;
};

SamplingTable sampling_table(const std::vector<uint32_t>& support, double alpha) {
  return SamplingTable(Span<const uint32_t>(support.data(), static_cast<int64_t>(support.size())), alpha);
}

/// Long tail: support of item j near 3000 / (j + 1), at least 1.
std::vector<uint32_t> long_tail(int64_t items) {
  std::vector<uint32_t> support;
  for (int64_t j = 0; j < items; ++j) support.push_back(static_cast<uint32_t>(3000 / (j + 1) + 1));
  return support;
}

RandomStream stream(uint64_t step) { return random_stream(kSeed, Purpose::negatives, step); }

/// The value that a chi-square variable of many degrees of freedom exceeds with the probability that a normal one
/// exceeds `z` (Wilson and Hilferty 1931).
double chi_square_quantile(double degrees, double z) {
  const double t = 2.0 / (9.0 * degrees);
  return degrees * std::pow(1.0 - t + z * std::sqrt(t), 3.0);
}

}  // namespace

OPERATION_TEST("draw_negatives: the items that docs/random.md names, for every table and step") {
  for (const int64_t items : {1, 2, 33, 1000})
    for (const double alpha : {0.0, 0.5, 1.0, 3.0})
      for (const int64_t samples : kSizes)
        for (const uint64_t first : {uint64_t{0}, uint64_t{0xFFFFFFFFu}}) {  // steps of more than 32 bits
          const Context context("I, N = " + sizes({items, samples}) + " alpha=" + show(alpha));
          const std::vector<uint32_t> support = long_tail(items);
          const std::vector<uint64_t> shares = cumulative_shares(support, alpha);
          const int64_t steps = 3;
          Table<int32_t> expected(steps, samples);
          for (int64_t s = 0; s < steps; ++s)
            for (int64_t j = 0; j < samples; ++j)
              expected(s, j) = find_item(shares, number64(kSeed, kNegatives, first + s, j));
          const SamplingTable table = sampling_table(support, alpha);
          const DeviceTable device(backend, table);
          DeviceMatrixOf<int32_t> out(backend, steps, samples, 70);  // the sample store's place for inputs and targets
          backend.draw_negatives(device.view, stream(first), out);
          CHECK_BITS(expected.data, out.download().data);
        }
}

OPERATION_TEST("draw_negatives: many steps at once are the same as one at a time, and more samples begin alike") {
  const SamplingTable table = sampling_table(long_tail(500), 0.75);
  const DeviceTable device(backend, table);
  const int64_t steps = 40, samples = 257;
  DeviceMatrixOf<int32_t> all(backend, steps, samples), one(backend, 1, samples), fewer(backend, steps, 31);
  backend.draw_negatives(device.view, stream(5), all);
  backend.draw_negatives(device.view, stream(5), fewer);
  const Table<int32_t> together = all.download();
  CHECK_BITS(block(together, 0, steps, 0, 31).data, fewer.download().data);
  for (int64_t s = 0; s < steps; ++s) {
    backend.draw_negatives(device.view, stream(5 + s), one);
    CHECK_BITS(block(together, s, 1, 0, samples).data, one.download().data);
  }
}

OPERATION_TEST("draw_negatives: chi-square of 200,000 samples against support^alpha, both tails at 0.001") {
  const int64_t items = 300, steps = 100, samples = 2000;
  const std::vector<uint32_t> support = long_tail(items);
  for (const double alpha : {0.0, 0.5, 1.0}) {
    const Context context("alpha=" + show(alpha));
    const SamplingTable table = sampling_table(support, alpha);
    const DeviceTable device(backend, table);
    DeviceMatrixOf<int32_t> out(backend, steps, samples);
    backend.draw_negatives(device.view, stream(1000), out);
    std::vector<double> counts(items);
    for (const int32_t item : out.download().data) {
      CHECK(item >= 0 && item < items);
      ++counts[item];
    }
    double total = 0.0, statistic = 0.0;
    for (const uint32_t events : support) total += std::pow(events, alpha);
    for (int64_t j = 0; j < items; ++j) {
      const double expected = static_cast<double>(steps * samples) * std::pow(support[j], alpha) / total;
      CHECK(expected > 5.0);  // the usual condition for the approximation
      statistic += (counts[j] - expected) * (counts[j] - expected) / expected;
    }
    const double degrees = static_cast<double>(items - 1);
    CHECK(statistic < chi_square_quantile(degrees, 3.0902));
    CHECK(statistic > chi_square_quantile(degrees, -3.0902));
  }
}

}  // namespace gru4rec::test
