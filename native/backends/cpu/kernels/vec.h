#pragma once

/// Vectors of the instruction set that a file is compiled for, so that every kernel is written once.
///
/// To add a kernel:
/// 1. Write it in a header of its own, `kernels/<name>_impl.h`, inside `namespace gru4rec::cpu::GRU_ISA`, on top of
///    this file and vector_math.h.
/// 2. Compile it three times: `kernels/<name>_{portable,avx2,avx512}.cpp` each `#define GRU_ISA` as their name says,
///    include that header and fill a table of function pointers, `const <Name>Kernels k<Name>Kernels`. CMakeLists.txt
///    sets the instruction set by the end of the file name. The two x86 files are empty elsewhere
///    (`#if defined(__x86_64__)`).
/// 3. Declare the table's struct in a header without vectors, and choose among the three once, by Isa.
///
/// Rules of these files. Everything lives in the namespace of the instruction set or is internal to the file: an inline
/// function or template of core/ or std:: that the compiler does not inline would be merged by the linker with the
/// copies of other files, and AVX-512 code would run everywhere; so no std:: algorithms or containers. `a * b + c` is
/// two roundings and fma(a, b, c) is one, where the hardware has it (the flags forbid silent contraction): equal
/// expressions give equal bits. The last elements of a row go through load_partial and store_partial and the same
/// operations as the others, so a value does not depend on its place in the row.
#ifndef GRU_ISA
#error "Expected GRU_ISA to be defined as portable, avx2 or avx512 before this file is included"
#endif

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/// Vectors are passed in registers in every build, also in one without optimisation.
#define GRU_INLINE __attribute__((always_inline)) inline

namespace gru4rec::cpu::GRU_ISA {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

typedef float Vec __attribute__((vector_size(sizeof(float) * kLanes)));
/// Lanes of integers, and of truth: 0 or -1, what comparing two Vec gives.
typedef int32_t IntVec __attribute__((vector_size(sizeof(int32_t) * kLanes)));

typedef float Vec4 __attribute__((vector_size(16)));
#if defined(__AVX2__)
typedef float Vec8 __attribute__((vector_size(32)));
GRU_INLINE Vec4 lower_half(Vec8 a) { return _mm256_castps256_ps128(a); }
GRU_INLINE Vec4 upper_half(Vec8 a) { return _mm256_extractf128_ps(a, 1); }
#endif
#if defined(__AVX512F__)
GRU_INLINE Vec8 lower_half(Vec a) { return _mm512_maskz_extractf32x8_ps(0xff, a, 0); }
GRU_INLINE Vec8 upper_half(Vec a) { return _mm512_maskz_extractf32x8_ps(0xff, a, 1); }
#endif

// --- What the instruction sets do in different words ---

GRU_INLINE IntVec lane_numbers();
GRU_INLINE Vec load(const float* from);

#if defined(__AVX512F__)

// Masked forms with a full mask: GCC 12 warns of uninitialised values inside the others.
constexpr __mmask16 kAllLanes = 0xffff;
GRU_INLINE __mmask16 first_lanes_mask(int64_t count) { return static_cast<__mmask16>((1u << count) - 1u); }
GRU_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
GRU_INLINE Vec sqrt(Vec a) { return _mm512_maskz_sqrt_ps(kAllLanes, a); }
GRU_INLINE Vec min(Vec a, Vec b) { return _mm512_maskz_min_ps(kAllLanes, a, b); }
GRU_INLINE Vec max(Vec a, Vec b) { return _mm512_maskz_max_ps(kAllLanes, a, b); }
GRU_INLINE Vec gather(const float* base, IntVec index) {
  return _mm512_mask_i32gather_ps(Vec{}, kAllLanes, reinterpret_cast<__m512i>(index), base, sizeof(float));
}
GRU_INLINE uint32_t truth_bits(IntVec truth) { return _mm512_movepi32_mask(reinterpret_cast<__m512i>(truth)); }
GRU_INLINE Vec load_partial(const float* from, int64_t count) {
  return _mm512_maskz_loadu_ps(first_lanes_mask(count), from);
}
GRU_INLINE void store_partial(float* to, Vec a, int64_t count) {
  _mm512_mask_storeu_ps(to, first_lanes_mask(count), a);
}
GRU_INLINE IntVec load_partial(const int32_t* from, int64_t count) {
  return reinterpret_cast<IntVec>(_mm512_maskz_loadu_epi32(first_lanes_mask(count), from));
}

#elif defined(__AVX2__)

GRU_INLINE __m256i first_lanes_mask(int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
GRU_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
GRU_INLINE Vec sqrt(Vec a) { return _mm256_sqrt_ps(a); }
GRU_INLINE Vec min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
GRU_INLINE Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
GRU_INLINE Vec gather(const float* base, IntVec index) {
  return _mm256_i32gather_ps(base, reinterpret_cast<__m256i>(index), sizeof(float));
}
GRU_INLINE uint32_t truth_bits(IntVec truth) {
  return static_cast<uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(truth)));
}
GRU_INLINE Vec load_partial(const float* from, int64_t count) {
  return _mm256_maskload_ps(from, first_lanes_mask(count));
}
GRU_INLINE void store_partial(float* to, Vec a, int64_t count) { _mm256_maskstore_ps(to, first_lanes_mask(count), a); }
GRU_INLINE IntVec load_partial(const int32_t* from, int64_t count) {
  return reinterpret_cast<IntVec>(_mm256_maskload_epi32(from, first_lanes_mask(count)));
}

#else

#if defined(__aarch64__)
GRU_INLINE Vec fma(Vec a, Vec b, Vec c) { return vfmaq_f32(c, a, b); }
GRU_INLINE Vec sqrt(Vec a) { return vsqrtq_f32(a); }
#elif defined(__x86_64__)
GRU_INLINE Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }
GRU_INLINE Vec sqrt(Vec a) { return _mm_sqrt_ps(a); }
#else
GRU_INLINE Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }
GRU_INLINE Vec sqrt(Vec a) {
  for (int i = 0; i < kLanes; ++i) a[i] = __builtin_sqrtf(a[i]);
  return a;
}
#endif
GRU_INLINE Vec min(Vec a, Vec b) { return a < b ? a : b; }
GRU_INLINE Vec max(Vec a, Vec b) { return a > b ? a : b; }
GRU_INLINE Vec gather(const float* base, IntVec index) {
  Vec a;
  for (int i = 0; i < kLanes; ++i) a[i] = base[index[i]];
  return a;
}
GRU_INLINE uint32_t truth_bits(IntVec truth) {
  uint32_t bits = 0;
  for (int i = 0; i < kLanes; ++i) bits |= static_cast<uint32_t>(truth[i] & 1) << i;
  return bits;
}
GRU_INLINE Vec load_partial(const float* from, int64_t count) {
  float lanes[kLanes] = {};
  for (int64_t i = 0; i < count; ++i) lanes[i] = from[i];
  return load(lanes);
}
GRU_INLINE void store_partial(float* to, Vec a, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = a[i];
}
GRU_INLINE IntVec load_partial(const int32_t* from, int64_t count) {
  IntVec a = {};
  for (int64_t i = 0; i < count; ++i) a[i] = from[i];
  return a;
}

#endif

// fma(a, b, c) = a * b + c, one rounding (two in portable x86 code).
// min(a, b), max(a, b): b where a lane is NaN, as in `a < b ? a : b`. So max(a, bound) drops a NaN of `a` and
// max(bound, a) keeps it.
// gather(base, index) = base[index[i]] in lane i.
// truth_bits(truth): bit i is lane i.
// load_partial(from, count): the first `count` (0 .. kLanes - 1) elements, zeros behind them; touches nothing else.
// store_partial(to, a, count): the first `count` (0 .. kLanes - 1) lanes; touches nothing else.

// --- The rest ---

GRU_INLINE Vec splat(float a) { return a - Vec{}; }
GRU_INLINE IntVec splat_int(int32_t a) { return a - IntVec{}; }

/// Rows need no alignment.
GRU_INLINE Vec load(const float* from) {
  Vec a;
  __builtin_memcpy(&a, from, sizeof a);
  return a;
}
GRU_INLINE IntVec load(const int32_t* from) {
  IntVec a;
  __builtin_memcpy(&a, from, sizeof a);
  return a;
}
GRU_INLINE void store(float* to, Vec a) { __builtin_memcpy(to, &a, sizeof a); }

/// As load_partial, with `fill` in the lanes behind the first `count`.
GRU_INLINE Vec load_partial(const float* from, int64_t count, float fill) {
  return lane_numbers() < splat_int(static_cast<int32_t>(count)) ? load_partial(from, count) : splat(fill);
}

GRU_INLINE Vec select(IntVec truth, Vec where_true, Vec where_false) { return truth ? where_true : where_false; }

/// The same bits, read as the other type.
GRU_INLINE IntVec bits(Vec a) { return reinterpret_cast<IntVec>(a); }
GRU_INLINE Vec from_bits(IntVec a) { return reinterpret_cast<Vec>(a); }
/// Integers as floats; floats as integers, towards zero.
GRU_INLINE Vec to_float(IntVec a) { return __builtin_convertvector(a, Vec); }
GRU_INLINE IntVec to_int(Vec a) { return __builtin_convertvector(a, IntVec); }

GRU_INLINE Vec abs(Vec a) { return from_bits(bits(a) & splat_int(0x7fffffff)); }
/// |magnitude| with the sign of `sign`.
GRU_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  return from_bits((bits(magnitude) & splat_int(0x7fffffff)) | (bits(sign) & ~splat_int(0x7fffffff)));
}
/// True where a lane is neither infinite nor NaN.
GRU_INLINE IntVec is_finite(Vec a) { return (bits(a) & splat_int(0x7f800000)) != splat_int(0x7f800000); }

GRU_INLINE int count_true(IntVec truth) { return __builtin_popcount(truth_bits(truth)); }
GRU_INLINE bool any_true(IntVec truth) { return truth_bits(truth) != 0; }

/// Lane numbers 0, 1, 2, …
GRU_INLINE IntVec lane_numbers() {
  IntVec a;
  for (int i = 0; i < kLanes; ++i) a[i] = i;
  return a;
}
/// True in the first `count` lanes.
GRU_INLINE IntVec first_lanes(int64_t count) { return lane_numbers() < splat_int(static_cast<int32_t>(count)); }

/// Sum of the lanes, always in the same order: halves onto each other.
GRU_INLINE float sum(Vec a) {
#if defined(__AVX512F__)
  const Vec8 eight = lower_half(a) + upper_half(a);
  const Vec4 four = lower_half(eight) + upper_half(eight);
#elif defined(__AVX2__)
  const Vec4 four = lower_half(a) + upper_half(a);
#else
  const Vec4 four = a;
#endif
  return (four[0] + four[2]) + (four[1] + four[3]);
}

/// Largest lane. NaN lanes may or may not be seen.
GRU_INLINE float max_lane(Vec a) {
#if defined(__AVX512F__)
  const Vec8 low = lower_half(a), high = upper_half(a);
  const Vec8 eight = low > high ? low : high;
  const Vec4 left = lower_half(eight), right = upper_half(eight);
  const Vec4 four = left > right ? left : right;
#elif defined(__AVX2__)
  const Vec4 left = lower_half(a), right = upper_half(a);
  const Vec4 four = left > right ? left : right;
#else
  const Vec4 four = a;
#endif
  const float even = four[0] > four[2] ? four[0] : four[2], odd = four[1] > four[3] ? four[1] : four[3];
  return even > odd ? even : odd;
}

}  // namespace gru4rec::cpu::GRU_ISA
