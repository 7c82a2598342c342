#pragma once

#include "backends/cpu/kernels/kernels.h"
#include "backends/cpu/kernels/loops_impl.h"

/// Philox 4x32-10 as in core/philox.h, a block a lane.
namespace gru4rec::cpu::GRU_ISA {

constexpr int kWideLanes = kLanes / 2;
/// One 32-bit word of each block, in the lower half of its lane; the upper half may hold anything.
typedef uint64_t WideVec __attribute__((vector_size(sizeof(uint64_t) * kWideLanes)));

/// Products of the lower halves.
GRU_INLINE WideVec multiply_words(WideVec a, WideVec b) {
#if defined(__AVX512F__)
  // All lanes, masked all the same: GCC 12 warns of an uninitialised variable inside the plain intrinsic.
  return reinterpret_cast<WideVec>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<WideVec>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__x86_64__)
  return reinterpret_cast<WideVec>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

GRU_INLINE WideVec splat_wide(uint64_t a) { return a - WideVec{}; }

/// Words of blocks first, first + 1, … first + kWideLanes - 1, in the order of the stream.
GRU_INLINE void random_blocks(const RandomStream& stream, uint32_t first, uint32_t* words) {
  WideVec c0, c1 = splat_wide(stream.purpose), c2 = splat_wide(stream.step), c3 = splat_wide(stream.step >> 32);
  for (int i = 0; i < kWideLanes; ++i) c0[i] = first + static_cast<uint32_t>(i);
  uint32_t k0 = static_cast<uint32_t>(stream.seed), k1 = static_cast<uint32_t>(stream.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const WideVec p0 = multiply_words(c0, splat_wide(0xD2511F53u));
    const WideVec p1 = multiply_words(c2, splat_wide(0xCD9E8D57u));
    c0 = (p1 >> 32) ^ c1 ^ splat_wide(k0);
    c1 = p1;
    c2 = (p0 >> 32) ^ c3 ^ splat_wide(k1);
    c3 = p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  const WideVec low = (c0 & 0xffffffffu) | (c1 << 32), high = (c2 & 0xffffffffu) | (c3 << 32);
  uint64_t pairs[2 * kWideLanes];
  for (int i = 0; i < kWideLanes; ++i) {
    pairs[2 * i] = low[i];
    pairs[2 * i + 1] = high[i];
  }
  __builtin_memcpy(words, pairs, sizeof pairs);
}

inline void random_words(const RandomStream& stream, uint32_t first_block, int64_t blocks, uint32_t* words) {
  for (int64_t b = 0; b < blocks; b += kWideLanes) {
    random_blocks(stream, first_block + static_cast<uint32_t>(b), words + 4 * b);
  }
}

inline void dropout(const Dropout& dropout, uint64_t first_index, int64_t n, const float* from, float* to) {
  // Chunks of whole blocks; the first starts inside its block where first_index does.
  constexpr int64_t kChunk = 512;
  uint32_t words[kChunk + kRandomWordsMargin];
  const IntVec threshold = splat_int(static_cast<int32_t>(dropout.threshold));
  int64_t d = 0;
  while (d < n) {
    const uint64_t index = first_index + static_cast<uint64_t>(d);
    const int64_t skipped = static_cast<int64_t>(index & 3);
    const int64_t count = n - d < kChunk - skipped ? n - d : kChunk - skipped;
    random_words(dropout.stream, static_cast<uint32_t>(index >> 2), (skipped + count + 3) / 4, words);
    for_vectors(0, count, [&](auto at) {
      const IntVec share = (load(reinterpret_cast<const int32_t*>(words) + skipped + at.d) >> 8) & 0x00ffffff;
      at.store(to + d, select(share < threshold, Vec{}, at.load(from + d) * dropout.scale));
    });
    d += count;
  }
}

}  // namespace gru4rec::cpu::GRU_ISA
