#pragma once

#include "backends/cpu/kernels/vec.h"

/// The loop over a row: whole vectors, then the rest.
namespace gru4rec::cpu::GRU_ISA {

/// Elements [d, d + count) of rows, count = kLanes.
struct Whole {
  int64_t d;
  GRU_INLINE Vec load(const float* row) const { return GRU_ISA::load(row + d); }
  GRU_INLINE void store(float* row, Vec a) const { GRU_ISA::store(row + d, a); }
  /// `a` where there are elements, 0 elsewhere.
  GRU_INLINE Vec live(Vec a) const { return a; }
  GRU_INLINE Vec live(Vec a, Vec) const { return a; }
};

/// The same with fewer elements.
struct Partial {
  int64_t d;
  int64_t count;
  GRU_INLINE Vec load(const float* row) const { return load_partial(row + d, count); }
  GRU_INLINE void store(float* row, Vec a) const { store_partial(row + d, a, count); }
  GRU_INLINE Vec live(Vec a) const { return live(a, Vec{}); }
  GRU_INLINE Vec live(Vec a, Vec elsewhere) const { return select(first_lanes(count), a, elsewhere); }
};

/// Calls body(Whole or Partial) for the elements [first, last) of a row.
template <class Body>
GRU_INLINE void for_vectors(int64_t first, int64_t last, const Body& body) {
  int64_t d = first;
  for (; d + kLanes <= last; d += kLanes) body(Whole{d});
  if (d < last) body(Partial{d, last - d});
}

/// for_vectors(0, n, body) whose whole vectors start at multiples of their size in `row`: vectors that lie across two
/// cache lines cost twice, which is felt where rows come from far away.
template <class Body>
GRU_INLINE void for_aligned_vectors(const float* row, int64_t n, const Body& body) {
  const uintptr_t place = reinterpret_cast<uintptr_t>(row) / sizeof(float);
  const int64_t before = static_cast<int64_t>((0 - place) % kLanes);
  if (before > 0) body(Partial{0, before < n ? before : n});
  if (before < n) for_vectors(before, n, body);
}

/// As for_vectors, adding `kSums` sums: body(Whole or Partial, sums). Floats are added for a thousand elements at most,
/// then doubles, so that long rows lose no accuracy.
template <int kSums, class Body>
GRU_INLINE void sum_vectors(int64_t first, int64_t last, double* totals, const Body& body) {
  constexpr int64_t kChunk = 1024;
  for (int64_t chunk = first; chunk < last; chunk += kChunk) {
    Vec sums[kSums] = {};
    for_vectors(chunk, last - chunk < kChunk ? last : chunk + kChunk, [&](auto at) { body(at, sums); });
    for (int k = 0; k < kSums; ++k) totals[k] += static_cast<double>(sum(sums[k]));
  }
}

}  // namespace gru4rec::cpu::GRU_ISA
