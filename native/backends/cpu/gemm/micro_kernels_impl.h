#pragma once

#include "backends/cpu/gemm/micro_kernels.h"
#include "backends/cpu/kernels/vec.h"

namespace gru4rec::cpu::GRU_ISA {

// 16 or 12 accumulators hide the latency of the additions, and with the panel's vectors and one broadcast they fit the
// registers: 32 of them, or 16 with AVX2 and SSE.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kTileRows = 8;
#else
constexpr int kTileRows = 6;
#endif

// --- Tiles ---

template <int kRows, int kVectors, bool kAlongK>
void multiply_tile(const Tile& tile) {
  Vec sums[kRows][kVectors] = {};
  const float* rows[kRows];
  if constexpr (kAlongK) {
    for (int r = 0; r < kRows; ++r) rows[r] = tile.lines[r] + tile.offset;
  }
  const float* y = tile.y;
  for (int64_t p = 0; p < tile.k; ++p) {
    Vec panel[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) panel[v] = load(y + v * kLanes);
    y += kVectors * kLanes;
    const float* line = kAlongK ? nullptr : tile.lines[p] + tile.offset;
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec factor = splat(kAlongK ? rows[r][p] : line[r]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sums[r][v] = fma(factor, panel[v], sums[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      float* out = tile.out + r * tile.out_stride + v * kLanes;
      Vec result = sums[r][v];
      if (tile.add) result = load(out) + result;
      if (tile.column_add != nullptr) result = result + load(tile.column_add + v * kLanes);
      store(out, result);
    }
  }
}

// --- Transposition ---

// zip_low(a, b) = a0 b0 a1 b1 … of the lower halves, zip_high(a, b) the same of the upper halves.
#if defined(__AVX512F__)
GRU_INLINE Vec zip_low(Vec a, Vec b) {
  const __m512i index = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return _mm512_permutex2var_ps(a, index, b);
}
GRU_INLINE Vec zip_high(Vec a, Vec b) {
  const __m512i index = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return _mm512_permutex2var_ps(a, index, b);
}
#elif defined(__AVX2__)
GRU_INLINE Vec zip_low(Vec a, Vec b) {
  return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20);
}
GRU_INLINE Vec zip_high(Vec a, Vec b) {
  return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31);
}
#elif defined(__x86_64__)
GRU_INLINE Vec zip_low(Vec a, Vec b) { return _mm_unpacklo_ps(a, b); }
GRU_INLINE Vec zip_high(Vec a, Vec b) { return _mm_unpackhi_ps(a, b); }
#elif defined(__aarch64__)
GRU_INLINE Vec zip_low(Vec a, Vec b) { return vzip1q_f32(a, b); }
GRU_INLINE Vec zip_high(Vec a, Vec b) { return vzip2q_f32(a, b); }
#else
GRU_INLINE Vec zip_low(Vec a, Vec b) { return Vec{a[0], b[0], a[1], b[1]}; }
GRU_INLINE Vec zip_high(Vec a, Vec b) { return Vec{a[2], b[2], a[3], b[3]}; }
#endif

/// A square of kLanes vectors, in place: zipping the first half of the vectors with the second, log2(kLanes) times.
GRU_INLINE void transpose(Vec (&a)[kLanes]) {
#pragma GCC unroll 4
  for (int step = 1; step < kLanes; step *= 2) {
    Vec zipped[kLanes];
#pragma GCC unroll 8
    for (int i = 0; i < kLanes / 2; ++i) {
      zipped[2 * i] = zip_low(a[i], a[i + kLanes / 2]);
      zipped[2 * i + 1] = zip_high(a[i], a[i + kLanes / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) a[i] = zipped[i];
  }
}

/// The first `count` lanes of a vector, count >= 1.
GRU_INLINE Vec load_up_to(const float* from, int64_t count) {
  return count >= kLanes ? load(from) : load_partial(from, count);
}
GRU_INLINE void store_up_to(float* to, Vec a, int64_t count) {
  if (count >= kLanes) {
    store(to, a);
  } else {
    store_partial(to, a, count);
  }
}

// --- Packing ---

inline void pack(const Lines& lines, int64_t first_line, int64_t first, int64_t k, int64_t count, int64_t width,
                 float* panel) {
  for (int64_t p = 0; p < k; ++p, panel += width) {
    const float* line = lines.line(first_line + p) + first;
    for (int64_t i = 0; i < width; i += kLanes) {
      store(panel + i, i < count ? load_up_to(line + i, count - i) : Vec{});
    }
  }
}

inline void pack_transposed(const Lines& lines, int64_t first_line, int64_t first, int64_t k, int64_t count,
                            int64_t width, float* panel) {
  for (int64_t i0 = 0; i0 < width; i0 += kLanes) {
    const float* line[kLanes];
    for (int i = 0; i < kLanes; ++i) line[i] = i0 + i < count ? lines.line(first_line + i0 + i) + first : nullptr;
    for (int64_t p0 = 0; p0 < k; p0 += kLanes) {
      Vec block[kLanes] = {};
      if (p0 + kLanes <= k && i0 + kLanes <= count) {
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i) block[i] = load(line[i] + p0);
      } else {
        for (int i = 0; i < kLanes; ++i) {
          if (line[i] != nullptr) block[i] = load_up_to(line[i] + p0, k - p0);
        }
      }
      transpose(block);
      float* to = panel + p0 * width + i0;
      if (p0 + kLanes <= k) {
#pragma GCC unroll 16
        for (int p = 0; p < kLanes; ++p) store(to + p * width, block[p]);
      } else {
        for (int64_t p = 0; p < k - p0; ++p) store(to + p * width, block[p]);
      }
    }
  }
}

// --- Writing ---

GRU_INLINE Vec add_parts(const Sums& sums, int64_t row, int64_t column) {
  const float* part = sums.data + row * sums.stride + column;
  Vec total = load(part);
  for (int64_t i = 1; i < sums.parts; ++i) total = total + load(part + i * sums.part_stride);
  return total;
}

/// `count` elements of C from column `column` on.
GRU_INLINE void write_vector(Vec result, float* c, int64_t column, int64_t count, const Destination& to) {
  if (to.add) result = load_up_to(c, count) + result;
  if (to.column_add != nullptr) result = result + load_up_to(to.column_add + column, count);
  store_up_to(c, result, count);
}

inline void write(const Sums& sums, int64_t rows, int64_t count, const Destination& to) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < count; i += kLanes) {
      write_vector(add_parts(sums, r, i), to.c + r * to.stride + i, i, count - i, to);
    }
  }
}

inline void write_transposed(const Sums& sums, int64_t rows, int64_t count, const Destination& to) {
  for (int64_t r0 = 0; r0 < rows; r0 += kLanes) {
    for (int64_t i0 = 0; i0 < count; i0 += kLanes) {
      Vec block[kLanes];
#pragma GCC unroll 16
      for (int r = 0; r < kLanes; ++r) block[r] = add_parts(sums, r0 + r, i0);
      transpose(block);
      const int64_t lines = count - i0 < kLanes ? count - i0 : kLanes;
      for (int64_t i = 0; i < lines; ++i) {
        write_vector(block[i], to.c + (i0 + i) * to.stride + r0, r0, rows - r0, to);
      }
    }
  }
}

// --- The table ---

template <bool kAlongK, int kRows>
constexpr void fill_tiles(MicroKernels& kernels) {
  kernels.tile[kAlongK][kRows - 1][0] = multiply_tile<kRows, 1, kAlongK>;
  kernels.tile[kAlongK][kRows - 1][1] = multiply_tile<kRows, 2, kAlongK>;
  if constexpr (kRows > 1) fill_tiles<kAlongK, kRows - 1>(kernels);
}

constexpr MicroKernels make_micro_kernels() {
  MicroKernels kernels{kLanes, kTileRows, {}, pack, pack_transposed, write, write_transposed};
  fill_tiles<false, kTileRows>(kernels);
  fill_tiles<true, kTileRows>(kernels);
  return kernels;
}

extern const MicroKernels kMicroKernels = make_micro_kernels();

}  // namespace gru4rec::cpu::GRU_ISA
