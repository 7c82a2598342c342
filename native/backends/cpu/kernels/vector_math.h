#pragma once

#include "backends/cpu/kernels/vec.h"

/// exp, exp_minus_1, log, sigmoid, tanh, softplus on vectors. All handle every input: infinities, NaN (which stays
/// NaN), subnormal numbers in and out. Largest error of each in units in the last place (of the correctly rounded
/// result; below the smallest normal number, in units of the smallest subnormal), tested over dense sweeps in
/// vector_math_test.cpp:
///
///   exp 1, exp_minus_1 4, log 1, sigmoid 3, tanh 2, softplus 3
///
/// The polynomials are minimax fits of these functions, rounded to float one coefficient after the other.
namespace gru4rec::cpu::GRU_ISA {

/// e^r - 1 for |r| <= ln 2 / 2.
GRU_INLINE Vec small_exp_minus_1(Vec r) {
  Vec p = splat(0x1.6a4b98p-10f);
  p = fma(p, r, splat(0x1.123e5cp-7f));
  p = fma(p, r, splat(0x1.5558bap-5f));
  p = fma(p, r, splat(0x1.55548cp-3f));
  p = fma(p, r, splat(0x1.fffffcp-2f));
  return fma(p, r * r, r);
}

/// e^x.
GRU_INLINE Vec exp(Vec x) {
  // Below: rounds to 0; above: overflows. In this order of arguments NaN stays.
  x = min(splat(89.0f), max(splat(-104.0f), x));
  // x = n ln 2 + r, |r| <= ln 2 / 2. Adding and taking away 1.5 * 2^23 rounds to an integer.
  const Vec shift = splat(12582912.0f);
  const Vec n = fma(x, splat(1.44269504f), shift) - shift;
  // ln 2 in two parts; the first has 9 bits, so its product with n is exact.
  Vec r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  const Vec p = small_exp_minus_1(r) + 1.0f;
  // 2^n in two factors: n is -151 .. 129, beyond the exponents of normal numbers. (NaN: n is any integer, p is NaN.)
  const IntVec exponent = to_int(n);
  const IntVec half = exponent >> 1;
  return p * from_bits((half + 127) << 23) * from_bits((exponent - half + 127) << 23);
}

/// e^x - 1, also where that is small.
GRU_INLINE Vec exp_minus_1(Vec x) { return select(abs(x) < splat(0.34657359f), small_exp_minus_1(x), exp(x) - 1.0f); }

/// Natural logarithm; -inf at 0, NaN below.
GRU_INLINE Vec log(Vec x) {
  // Subnormal numbers are scaled up first. x = 2^n m, sqrt(1/2) <= m < sqrt(2).
  const IntVec tiny = x < splat(0x1p-126f);
  const IntVec pattern = bits(abs(select(tiny, x * 0x1p23f, x))) - splat_int(0x3f3504f3);
  const Vec n = to_float(pattern >> 23) - select(tiny, splat(23.0f), Vec{});
  const Vec f = from_bits((pattern & splat_int(0x007fffff)) + splat_int(0x3f3504f3)) - 1.0f;
  // With s = f / (2 + f): log(1 + f) = 2 s + s R(s^2) = f - (f^2 / 2 - s (f^2 / 2 + R)).
  const Vec s = f / (f + 2.0f);
  const Vec z = s * s;
  Vec p = splat(0x1.32177ap-2f);
  p = fma(p, z, splat(0x1.995cdcp-2f));
  p = fma(p, z, splat(0x1.55557cp-1f));
  const Vec half_square = f * f * 0.5f;
  Vec result = fma(s, fma(p, z, half_square), n * -2.12194440e-4f);
  result = fma(n, splat(0.693359375f), f - (half_square - result));
  // Infinity and NaN are their own logarithm.
  const Vec infinity = splat(__builtin_inff());
  result = select(x < infinity, result, x);
  result = select(x == Vec{}, -infinity, result);
  return select(x < Vec{}, splat(__builtin_nanf("")), result);
}

/// 1 / (1 + e^-x).
GRU_INLINE Vec sigmoid(Vec x) {
  const Vec e = exp(-abs(x));
  return select(x < Vec{}, e, splat(1.0f)) / (e + 1.0f);
}

GRU_INLINE Vec tanh(Vec x) {
  const Vec magnitude = abs(x);
  // Near 0 an odd polynomial, elsewhere 1 - 2 / (e^2|x| + 1), where the subtraction loses little.
  const Vec z = x * x;
  Vec p = splat(-0x1.75438cp-8f);
  p = fma(p, z, splat(0x1.52034ep-6f));
  p = fma(p, z, splat(-0x1.b836e8p-5f));
  p = fma(p, z, splat(0x1.1106fcp-3f));
  p = fma(p, z, splat(-0x1.555532p-2f));
  const Vec near_zero = fma(p * z, x, x);
  const Vec elsewhere = 1.0f - 2.0f / (exp(magnitude + magnitude) + 1.0f);
  return select(magnitude < splat(0.625f), near_zero, copy_sign(elsewhere, x));
}

/// log(1 + e^x).
GRU_INLINE Vec softplus(Vec x) {
  // max(x, 0) + log(1 + e), e = e^-|x| in [0, 1], by the series of log with s = e / (2 + e).
  const Vec e = exp(-abs(x));
  const Vec s = e / (e + 2.0f);
  const Vec z = s * s;
  Vec p = splat(0x1.f0b28cp-3f);
  p = fma(p, z, splat(0x1.b72298p-3f));
  p = fma(p, z, splat(0x1.250566p-2f));
  p = fma(p, z, splat(0x1.9996d6p-2f));
  p = fma(p, z, splat(0x1.555558p-1f));
  return max(x, Vec{}) + fma(p * z, s, s + s);
}

}  // namespace gru4rec::cpu::GRU_ISA
