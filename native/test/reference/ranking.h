#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "reference/number.h"
#include "reference/table.h"

/// Ranks and lists by looking at every candidate (docs/model.md, "Prediction and evaluation").
namespace gru4rec::reference {

/// How many candidates other than the target certainly or possibly score higher than it or the same, given the errors
/// of the scores. With exact scores least = most.
struct RankBounds {
  int32_t greater_least = 0, greater_most = 0, equal_least = 0, equal_most = 0;
};

/// @param scores  of all items
/// @param candidates  without repeats; may hold the target.
inline RankBounds rank(const std::vector<Number>& scores, int32_t target, const std::vector<int32_t>& candidates) {
  RankBounds bounds;
  for (const int32_t item : candidates) {
    if (item == target) continue;
    const double lead = scores[item].value - scores[target].value;
    const double doubt = scores[item].error + scores[target].error;
    if (lead > doubt) {
      ++bounds.greater_least;
      ++bounds.greater_most;
    } else if (lead >= -doubt) {
      // As near as that, all three outcomes are possible, except that exact scores are just equal.
      if (doubt == 0.0) {
        ++bounds.equal_least;
      } else {
        ++bounds.greater_most;
      }
      ++bounds.equal_most;
    }
  }
  return bounds;
}

/// Scores without error: for data whose sums are exact in float32.
inline std::vector<Number> exact(const std::vector<Number>& scores) {
  std::vector<Number> out;
  for (const Number& score : scores) out.push_back(Number(score.value));
  return out;
}

/// The k best candidates that are not excluded, equal scores by lower item.
/// @param excluded  ascending
inline std::vector<int32_t> best(const std::vector<Number>& scores, const std::vector<int32_t>& candidates,
                                 const std::vector<int32_t>& excluded, int64_t k) {
  std::vector<int32_t> list;
  for (const int32_t item : candidates)
    if (!std::binary_search(excluded.begin(), excluded.end(), item)) list.push_back(item);
  std::sort(list.begin(), list.end(), [&](int32_t a, int32_t b) {
    return scores[a].value != scores[b].value ? scores[a].value > scores[b].value : a < b;
  });
  if (static_cast<int64_t>(list.size()) > k) list.resize(k);
  return list;
}

}  // namespace gru4rec::reference
