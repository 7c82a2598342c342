#pragma once

#include <cstdint>
#include <vector>

#include "core/matrix.h"
#include "core/philox.h"

namespace gru4rec {

/// A read-only view of a sampling table, as host and device code use it.
struct SamplingTableView {
  /// [items], ascending: 2^64 times the share of all items up to and including this one. The last is 2^64 - 1.
  const uint64_t* cumulative = nullptr;
  /// [2^guide_bits + 1]: for each value of the top bits, the first item that a number starting with them can give.
  const int32_t* guide = nullptr;
  int32_t guide_bits = 0;
  int64_t items = 0;
};

/// The item that the random number `u` stands for: the first whose cumulative share is above `u` (the last item takes
/// what is left). The guide only shortens the way, it never changes the answer.
GRU_HOST_DEVICE inline int32_t sample_item(const SamplingTableView& table, uint64_t u) {
  const uint64_t bucket = u >> (64 - table.guide_bits);
  int64_t low = table.guide[bucket], high = table.guide[bucket + 1];
  while (low < high) {
    const int64_t middle = low + (high - low) / 2;
    if (table.cumulative[middle] > u) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return static_cast<int32_t>(low < table.items ? low : table.items - 1);
}

/// Items drawn with probability proportional to support^alpha (1706.03847, section 3.1; alpha = 0 is uniform).
class SamplingTable {
 public:
  /// `support` [items] holds the number of training events of each item, all of them at least 1.
  SamplingTable(Span<const uint32_t> support, double alpha);

  /// Entries of the guide of a table of so many items.
  static int64_t guide_size(int64_t items);

  SamplingTableView view() const;
  const std::vector<uint64_t>& cumulative() const { return cumulative_; }
  const std::vector<int32_t>& guide() const { return guide_; }

 private:
  std::vector<uint64_t> cumulative_;
  std::vector<int32_t> guide_;
  int32_t guide_bits_;
};

}  // namespace gru4rec
