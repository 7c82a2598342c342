#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "reference/table.h"

/// docs/random.md written out once more, block by block and number by number.
namespace gru4rec::reference {

using Words = std::array<uint32_t, 4>;

inline Words philox(uint32_t k0, uint32_t k1, Words c) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = static_cast<uint64_t>(0xD2511F53u) * c[0], p1 = static_cast<uint64_t>(0xCD9E8D57u) * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

inline uint32_t word(uint64_t seed, uint32_t purpose, uint64_t step, uint64_t index) {
  const Words counter{static_cast<uint32_t>(index / 4), purpose, static_cast<uint32_t>(step),
                      static_cast<uint32_t>(step >> 32)};
  return philox(static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32), counter)[index % 4];
}

inline uint64_t number64(uint64_t seed, uint32_t purpose, uint64_t step, uint64_t index) {
  return static_cast<uint64_t>(word(seed, purpose, step, 2 * index + 1)) << 32 | word(seed, purpose, step, 2 * index);
}

constexpr uint32_t kInputDropout = 2, kHiddenDropout = 3, kNegatives = 4, kShuffle = 5;

/// The factors of inverted dropout, 0 or 1 / (1 - p), as float32.
inline Table<float> dropout_mask(double p, uint64_t seed, uint32_t purpose, uint64_t step, int64_t rows, int64_t cols) {
  Table<float> mask(rows, cols, 1.0f);
  if (p == 0.0) return mask;
  const uint32_t threshold = static_cast<uint32_t>(std::floor(p * 16777216.0 + 0.5));
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t d = 0; d < cols; ++d) {
      const bool dropped = word(seed, purpose, step, i * cols + d) >> 8 < threshold;
      mask(i, d) = dropped ? 0.0f : static_cast<float>(1.0 / (1.0 - p));
    }
  return mask;
}

/// 2^64 times the share of the items 0 .. j, for every item j.
inline std::vector<uint64_t> cumulative_shares(const std::vector<uint32_t>& support, double alpha) {
  std::vector<double> sums;
  double sum = 0.0;
  for (const uint32_t events : support) sums.push_back(sum += std::pow(static_cast<double>(events), alpha));
  std::vector<uint64_t> shares;
  for (size_t j = 0; j < sums.size(); ++j) {
    const double share = sums[j] / sum;
    const bool full = share >= 1.0 || j + 1 == sums.size();
    shares.push_back(full ? UINT64_MAX : static_cast<uint64_t>(std::floor(share * 18446744073709551616.0)));
  }
  return shares;
}

/// The first item whose share is above `u`, or the last.
inline int32_t find_item(const std::vector<uint64_t>& shares, uint64_t u) {
  for (size_t j = 0; j < shares.size(); ++j)
    if (shares[j] > u) return static_cast<int32_t>(j);
  return static_cast<int32_t>(shares.size() - 1);
}

/// Sessions 0 .. count in the order of one shuffled epoch.
inline std::vector<int32_t> shuffled(uint64_t seed, uint64_t epoch, int64_t count) {
  std::vector<int32_t> order(count);
  for (int64_t i = 0; i < count; ++i) order[i] = static_cast<int32_t>(i);
  for (int64_t i = count - 1; i >= 1; --i) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(number64(seed, kShuffle, epoch, i)) * static_cast<Wide>(i + 1);
    const int64_t other = static_cast<int64_t>(product >> 64);
    const int32_t moved = order[i];
    order[i] = order[other];
    order[other] = moved;
  }
  return order;
}

}  // namespace gru4rec::reference
