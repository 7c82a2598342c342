#pragma once

#include <algorithm>
#include <cstdint>

#include "backend/backend.h"
#include "core/model_spec.h"

namespace gru4rec {

/// Rows of hidden state that are ranked against all items in one operation: few enough that a request to stop is seen
/// within a few tens of milliseconds. A device that records is a GPU, and as much faster.
inline int64_t rows_per_ranking(const Backend& backend, const ModelSpec& spec) {
  constexpr int64_t kOnCpu = 1'500'000'000, kOnGpu = 100'000'000'000, kMostOnCpu = 512, kMostOnGpu = 1024;
  const bool gpu = backend.records();
  const int64_t by_time = (gpu ? kOnGpu : kOnCpu) / std::max<int64_t>(1, spec.items * spec.hidden());
  return std::max<int64_t>(1, std::min(by_time, gpu ? kMostOnGpu : kMostOnCpu));
}

/// The same for rows of which `columns` scores are kept: a matrix of them stays below 64 MB.
inline int64_t rows_per_scoring(const Backend& backend, const ModelSpec& spec, int64_t columns) {
  constexpr int64_t kScores = 16'000'000;
  ModelSpec scored = spec;
  scored.items = columns;
  return std::max<int64_t>(1, std::min(rows_per_ranking(backend, scored), kScores / std::max<int64_t>(1, columns)));
}

}  // namespace gru4rec
