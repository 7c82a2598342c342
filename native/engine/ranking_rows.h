#pragma once

#include <algorithm>
#include <cstdint>

namespace gru4rec {

/// Rows of hidden state [rows, hidden] that are ranked against all items in one operation: few enough that a request to
/// stop is seen within a few tens of milliseconds, and that a matrix of their scores stays below 64 MB.
inline int64_t rows_per_ranking(int64_t items, int64_t hidden) {
  constexpr int64_t kMultiplications = 1'500'000'000, kScores = 16'000'000, kMostRows = 512;
  const int64_t by_time = kMultiplications / std::max<int64_t>(1, items * hidden);
  const int64_t by_memory = kScores / std::max<int64_t>(1, items);
  return std::max<int64_t>(1, std::min({by_time, by_memory, kMostRows}));
}

}  // namespace gru4rec
