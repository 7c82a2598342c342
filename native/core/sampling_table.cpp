#include "core/sampling_table.h"

#include <cmath>

#include "core/error.h"

namespace gru4rec {

namespace {

constexpr double kTwoTo64 = 18446744073709551616.0;

/// About four guide entries an item keep the search to a step or two; more would only cost cache.
int32_t choose_guide_bits(int64_t items) {
  int32_t bits = 1;
  while (bits < 22 && (int64_t{1} << bits) < items * 4) ++bits;
  return bits;
}

}  // namespace

int64_t SamplingTable::guide_size(int64_t items) { return (int64_t{1} << choose_guide_bits(items)) + 1; }

SamplingTable::SamplingTable(Span<const uint32_t> support, double alpha)
    : cumulative_(support.size), guide_bits_(choose_guide_bits(support.size)) {
  const int64_t items = support.size;
  if (items < 1) throw Error(ErrorCode::argument, "Expected at least one item to sample from but received none");

  std::vector<double> sum(items);
  double total = 0.0;
  for (int64_t i = 0; i < items; ++i) {
    total += std::pow(static_cast<double>(support[i]), alpha);
    sum[i] = total;
  }
  for (int64_t i = 0; i < items; ++i) {
    const double share = sum[i] / total;
    cumulative_[i] = share < 1.0 ? static_cast<uint64_t>(share * kTwoTo64) : UINT64_MAX;
  }
  cumulative_[items - 1] = UINT64_MAX;

  const int64_t buckets = int64_t{1} << guide_bits_;
  guide_.resize(guide_size(items));
  int64_t item = 0;
  for (int64_t bucket = 0; bucket < buckets; ++bucket) {
    const uint64_t smallest = static_cast<uint64_t>(bucket) << (64 - guide_bits_);
    while (item < items && cumulative_[item] <= smallest) ++item;
    guide_[bucket] = static_cast<int32_t>(item);
  }
  guide_[buckets] = static_cast<int32_t>(items);
}

SamplingTableView SamplingTable::view() const {
  return {cumulative_.data(), guide_.data(), guide_bits_, static_cast<int64_t>(cumulative_.size())};
}

}  // namespace gru4rec
