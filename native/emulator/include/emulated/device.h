#pragma once

// Not <cmath>: kernels call expf, fmaxf, isfinite and the like without a namespace.
#include <math.h>

#include <cstring>
#include <type_traits>

#include "emulated/engine.h"

/// CUDA's device functions, as far as the house rules allow them. Left out on purpose, so that they do not compile:
/// atomics on floating-point numbers (they sum in no fixed order), __activemask, the __reduce_*_sync of sm_80.

namespace gru4rec::emulator {

/// A value of up to 8 bytes as an integer, and back.
template <class T>
uint64_t to_bits(T value) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable<T>::value, "a plain value of up to 8 bytes");
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}
template <class T>
T from_bits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

template <class T>
T shuffle(unsigned mask, T value, int source, Site site) {
  static_assert(std::is_arithmetic<T>::value && sizeof(T) >= 4, "CUDA shuffles 32-bit and 64-bit numbers");
  return from_bits<T>(warp_operation(WarpOperation::shuffle, mask, to_bits(value), source, site));
}

inline int current_lane() { return static_cast<int>(current_thread->lane); }

}  // namespace gru4rec::emulator

#define GRU_EMULATED_SITE ::gru4rec::emulator::Site site = ::gru4rec::emulator::here()

// Barriers.
inline void __syncthreads(GRU_EMULATED_SITE) {
  ::gru4rec::emulator::block_barrier(::gru4rec::emulator::Barrier::plain, 0, site);
}
inline int __syncthreads_count(int predicate, GRU_EMULATED_SITE) {
  return ::gru4rec::emulator::block_barrier(::gru4rec::emulator::Barrier::count, predicate, site);
}
inline int __syncthreads_or(int predicate, GRU_EMULATED_SITE) {
  return ::gru4rec::emulator::block_barrier(::gru4rec::emulator::Barrier::any, predicate, site);
}
inline int __syncthreads_and(int predicate, GRU_EMULATED_SITE) {
  return ::gru4rec::emulator::block_barrier(::gru4rec::emulator::Barrier::all, predicate, site);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, GRU_EMULATED_SITE) {
  ::gru4rec::emulator::warp_operation(::gru4rec::emulator::WarpOperation::sync, mask, 0, 0, site);
}

// Shuffles. A lane outside its segment of `width` lanes reads itself, as the hardware does.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize, GRU_EMULATED_SITE) {
  const int segment = ::gru4rec::emulator::current_lane() & ~(width - 1);
  return ::gru4rec::emulator::shuffle(mask, value, segment | (source & (width - 1)), site);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize, GRU_EMULATED_SITE) {
  const int lane = ::gru4rec::emulator::current_lane(), source = lane - static_cast<int>(delta);
  return ::gru4rec::emulator::shuffle(mask, value, source < (lane & ~(width - 1)) ? lane : source, site);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize, GRU_EMULATED_SITE) {
  const int lane = ::gru4rec::emulator::current_lane(), shift = static_cast<int>(delta);
  return ::gru4rec::emulator::shuffle(mask, value, (lane & (width - 1)) + shift >= width ? lane : lane + shift, site);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = warpSize, GRU_EMULATED_SITE) {
  const int lane = ::gru4rec::emulator::current_lane(), source = lane ^ lanes;
  return ::gru4rec::emulator::shuffle(mask, value, source >= (lane & ~(width - 1)) + width ? lane : source, site);
}

// Votes.
inline unsigned __ballot_sync(unsigned mask, int predicate, GRU_EMULATED_SITE) {
  return static_cast<unsigned>(
      ::gru4rec::emulator::warp_operation(::gru4rec::emulator::WarpOperation::ballot, mask, predicate != 0, 0, site));
}
inline int __any_sync(unsigned mask, int predicate, GRU_EMULATED_SITE) {
  return __ballot_sync(mask, predicate, site) != 0;
}
inline int __all_sync(unsigned mask, int predicate, GRU_EMULATED_SITE) {
  return __ballot_sync(mask, predicate, site) == mask;
}
template <class T>
unsigned __match_any_sync(unsigned mask, T value, GRU_EMULATED_SITE) {
  static_assert(std::is_arithmetic<T>::value && sizeof(T) >= 4, "CUDA matches 32-bit and 64-bit numbers");
  return static_cast<unsigned>(::gru4rec::emulator::warp_operation(::gru4rec::emulator::WarpOperation::match, mask,
                                                                   ::gru4rec::emulator::to_bits(value), 0, site));
}
#undef GRU_EMULATED_SITE

/// A function, so that __trap() compiles to a statement.
[[noreturn]] inline void __trap(::gru4rec::emulator::Site site = ::gru4rec::emulator::here()) {
  ::gru4rec::emulator::trap(site);
}

// Atomics are relaxed, as CUDA's are: what orders memory is __threadfence. Each is a place where the schedule may
// switch.
namespace gru4rec::emulator {

template <class T, class Function>
T atomic_update(T* address, const Function& updated) {
  may_switch();
  T before = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(address, &before, updated(before), false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return before;
}

}  // namespace gru4rec::emulator

#define GRU_EMULATED_ATOMIC(name, type, expression)                                                       \
  inline type name(type* address, type value) {                                                           \
    return ::gru4rec::emulator::atomic_update(address, [value](type old) -> type { return expression; }); \
  }
GRU_EMULATED_ATOMIC(atomicAdd, int, old + value)
GRU_EMULATED_ATOMIC(atomicAdd, unsigned, old + value)
GRU_EMULATED_ATOMIC(atomicAdd, unsigned long long, old + value)
GRU_EMULATED_ATOMIC(atomicSub, int, old - value)
GRU_EMULATED_ATOMIC(atomicSub, unsigned, old - value)
GRU_EMULATED_ATOMIC(atomicMax, int, old > value ? old : value)
GRU_EMULATED_ATOMIC(atomicMax, unsigned, old > value ? old : value)
GRU_EMULATED_ATOMIC(atomicMax, long long, old > value ? old : value)
GRU_EMULATED_ATOMIC(atomicMax, unsigned long long, old > value ? old : value)
GRU_EMULATED_ATOMIC(atomicMin, int, old < value ? old : value)
GRU_EMULATED_ATOMIC(atomicMin, unsigned, old < value ? old : value)
GRU_EMULATED_ATOMIC(atomicMin, long long, old < value ? old : value)
GRU_EMULATED_ATOMIC(atomicMin, unsigned long long, old < value ? old : value)
GRU_EMULATED_ATOMIC(atomicExch, int, (static_cast<void>(old), value))
GRU_EMULATED_ATOMIC(atomicExch, unsigned, (static_cast<void>(old), value))
GRU_EMULATED_ATOMIC(atomicExch, unsigned long long, (static_cast<void>(old), value))
GRU_EMULATED_ATOMIC(atomicAnd, int, old& value)
GRU_EMULATED_ATOMIC(atomicAnd, unsigned, old& value)
GRU_EMULATED_ATOMIC(atomicAnd, unsigned long long, old& value)
GRU_EMULATED_ATOMIC(atomicOr, int, old | value)
GRU_EMULATED_ATOMIC(atomicOr, unsigned, old | value)
GRU_EMULATED_ATOMIC(atomicOr, unsigned long long, old | value)
GRU_EMULATED_ATOMIC(atomicXor, int, old ^ value)
GRU_EMULATED_ATOMIC(atomicXor, unsigned, old ^ value)
GRU_EMULATED_ATOMIC(atomicXor, unsigned long long, old ^ value)
#undef GRU_EMULATED_ATOMIC

/// A failed one always lets others run, so that spin locks make progress.
template <class T>
T atomicCAS(T* address, T expected, T desired) {
  static_assert(
      std::is_same<T, int>::value || std::is_same<T, unsigned>::value || std::is_same<T, unsigned long long>::value,
      "atomicCAS takes int, unsigned or unsigned long long");
  ::gru4rec::emulator::may_switch();
  T before = expected;
  if (!__atomic_compare_exchange_n(address, &before, desired, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ::gru4rec::emulator::must_switch();
  return before;
}

inline void __threadfence() { ::gru4rec::emulator::memory_fence(); }
inline void __threadfence_block() { ::gru4rec::emulator::memory_fence(); }
inline void __nanosleep(unsigned) { ::gru4rec::emulator::must_switch(); }

// Loads and stores with a cache hint.
template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T __ldcg(const T* address) {
  return *address;
}
template <class T>
T __ldcs(const T* address) {
  return *address;
}
template <class T>
void __stcg(T* address, T value) {
  *address = value;
}
template <class T>
void __stcs(T* address, T value) {
  *address = value;
}

// Bits.
inline int __popc(unsigned value) { return __builtin_popcount(value); }
inline int __popcll(unsigned long long value) { return __builtin_popcountll(value); }
inline int __ffs(int value) { return __builtin_ffs(value); }
inline int __ffsll(long long value) { return __builtin_ffsll(value); }
inline int __clz(int value) { return value != 0 ? __builtin_clz(static_cast<unsigned>(value)) : 32; }
inline int __clzll(long long value) {
  return value != 0 ? __builtin_clzll(static_cast<unsigned long long>(value)) : 64;
}
inline unsigned __brev(unsigned value) {
  unsigned reversed = 0;
  for (int bit = 0; bit < 32; ++bit) reversed |= (value >> bit & 1u) << (31 - bit);
  return reversed;
}
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>((uint64_t{a} * b) >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<unsigned long long>((static_cast<Wide>(a) * b) >> 64);
}
inline float __int_as_float(int value) {
  return ::gru4rec::emulator::from_bits<float>(::gru4rec::emulator::to_bits(value));
}
inline float __uint_as_float(unsigned value) {
  return ::gru4rec::emulator::from_bits<float>(::gru4rec::emulator::to_bits(value));
}
inline int __float_as_int(float value) {
  return ::gru4rec::emulator::from_bits<int>(::gru4rec::emulator::to_bits(value));
}
inline unsigned __float_as_uint(float value) {
  return ::gru4rec::emulator::from_bits<unsigned>(::gru4rec::emulator::to_bits(value));
}
inline long long __double_as_longlong(double value) {
  return ::gru4rec::emulator::from_bits<long long>(::gru4rec::emulator::to_bits(value));
}
inline double __longlong_as_double(long long value) {
  return ::gru4rec::emulator::from_bits<double>(::gru4rec::emulator::to_bits(value));
}

// Arithmetic with a given rounding; no product is fused with a sum (-ffp-contract=off).
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __frcp_rn(float a) { return 1.0f / a; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }

// Fast functions are the exact ones here. Macros, because the C library declares functions of these names.
#define __expf(x) ::expf(x)
#define __logf(x) ::logf(x)
#define __powf(x, y) ::powf(x, y)
inline float __fdividef(float a, float b) { return a / b; }
inline float rsqrtf(float value) { return 1.0f / sqrtf(value); }
inline double rsqrt(double value) { return 1.0 / sqrt(value); }

#define GRU_EMULATED_MIN_MAX(type)                             \
  constexpr type min(type a, type b) { return b < a ? b : a; } \
  constexpr type max(type a, type b) { return a < b ? b : a; }
GRU_EMULATED_MIN_MAX(int)
GRU_EMULATED_MIN_MAX(unsigned)
GRU_EMULATED_MIN_MAX(long)
GRU_EMULATED_MIN_MAX(unsigned long)
GRU_EMULATED_MIN_MAX(long long)
GRU_EMULATED_MIN_MAX(unsigned long long)
#undef GRU_EMULATED_MIN_MAX
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
