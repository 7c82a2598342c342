#pragma once

#include "backends/cpu/kernels/kernels.h"
#include "backends/cpu/kernels/loops_impl.h"
#include "backends/cpu/kernels/vector_math.h"

namespace gru4rec::cpu::GRU_ISA {

inline bool all_finite(const float* scores, int64_t n) {
  IntVec finite = splat_int(-1);
  for_vectors(0, n, [&](auto at) { finite &= is_finite(at.load(scores)); });
  return count_true(finite) == kLanes;
}

inline bool count_above(const float* scores, int64_t n, float pivot, int32_t* greater, int32_t* equal) {
  IntVec finite = splat_int(-1), above = {}, same = {};
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    const Vec s = load(scores + j);
    finite &= is_finite(s);
    above -= s > splat(pivot);
    same -= s == splat(pivot);
  }
  if (j < n) {
    const Vec s = load_partial(scores + j, n - j);
    const IntVec live = first_lanes(n - j);
    finite &= is_finite(s);
    above -= live & (s > splat(pivot));
    same -= live & (s == splat(pivot));
  }
  for (int i = 0; i < kLanes; ++i) {
    *greater += above[i];
    *equal += same[i];
  }
  return count_true(finite) == kLanes;
}

inline int64_t collect_above(const float* scores, int64_t n, float threshold, int32_t* index) {
  int64_t found = 0;
  const auto take = [&](uint32_t mask, int64_t first) {
    for (; mask != 0; mask &= mask - 1) index[found++] = static_cast<int32_t>(first + __builtin_ctz(mask));
  };
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) take(truth_bits(load(scores + j) > splat(threshold)), j);
  if (j < n) take(truth_bits(first_lanes(n - j) & (load_partial(scores + j, n - j) > splat(threshold))), j);
  return found;
}

inline void exp_sum(const float* scores, int64_t n, float* largest, double* total) {
  Vec most = splat(-__builtin_inff());
  for_vectors(0, n, [&](auto at) { most = max(most, at.live(at.load(scores), most)); });
  *largest = max_lane(most);
  *total = 0.0;
  sum_vectors<1>(0, n, total, [&](auto at, Vec* sums) { sums[0] += at.live(exp(at.load(scores) - *largest)); });
}

}  // namespace gru4rec::cpu::GRU_ISA
