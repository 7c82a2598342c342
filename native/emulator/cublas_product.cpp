#include "emulator/cublas_product.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace gru4rec::emulator {

namespace {

constexpr int64_t kRows = 16;  ///< of a tile of c
constexpr int64_t kCols = 4;

uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

/// To 10 bits of mantissa, ties away from zero, as cvt.rna.tf32 does.
float to_tf32(float value) { return std::isfinite(value) ? float_of((bits_of(value) + 0x1000u) & 0xFFFFE000u) : value; }

/// To the upper 16 bits, ties to even.
uint16_t to_bfloat16(float value) {
  const uint32_t bits = bits_of(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40u);
  return static_cast<uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

float from_bfloat16(uint16_t value) { return float_of(uint32_t{value} << 16); }

float load(const void* data, Element element, int64_t index) {
  return element == Element::float32 ? static_cast<const float*>(data)[index]
                                     : from_bfloat16(static_cast<const uint16_t*>(data)[index]);
}

float rounded(float value, Rounding rounding) {
  switch (rounding) {
    case Rounding::tf32:
      return to_tf32(value);
    case Rounding::bfloat16:
      return from_bfloat16(to_bfloat16(value));
    default:
      return value;
  }
}

/// Panels of `width` rows of the operand: [rows / width][depth][width], zeros behind the last row.
/// @param along   distance of neighbouring rows in memory
/// @param across  distance of neighbouring elements of the depth
void pack(const Operand& operand, int64_t rows, int64_t depth, int64_t along, int64_t across, int64_t width,
          Rounding rounding, std::vector<float>* packed) {
  const int64_t panels = (rows + width - 1) / width;
  packed->assign(static_cast<size_t>(panels * depth * width), 0.0f);
  for (int64_t panel = 0; panel < panels; ++panel) {
    const int64_t first = panel * width, count = std::min(width, rows - first);
    float* out = packed->data() + first * depth;
    for (int64_t d = 0; d < depth; ++d)
      for (int64_t r = 0; r < count; ++r)
        out[d * width + r] = rounded(load(operand.data, operand.element, (first + r) * along + d * across), rounding);
  }
}

/// Eight floats at once, anywhere in memory; where registers are smaller the compiler takes two.
using Vector = float __attribute__((vector_size(32), aligned(4), may_alias));
constexpr int64_t kVectors = kRows / 8;

/// sums [kCols][kRows] <- a panel [depth][kRows] times a panel [depth][kCols].
inline __attribute__((always_inline)) void multiply_panels(const float* a, const float* b, int64_t depth, float* sums) {
  Vector tile[kCols][kVectors] = {};
  for (int64_t d = 0; d < depth; ++d) {
    const Vector* column = reinterpret_cast<const Vector*>(a + d * kRows);
    for (int64_t c = 0; c < kCols; ++c)
      for (int64_t v = 0; v < kVectors; ++v) tile[c][v] += column[v] * b[d * kCols + c];
  }
  Vector* out = reinterpret_cast<Vector*>(sums);
  for (int64_t c = 0; c < kCols; ++c)
    for (int64_t v = 0; v < kVectors; ++v) out[c * kVectors + v] = tile[c][v];
}

void multiply_panels_portable(const float* a, const float* b, int64_t depth, float* sums) {
  multiply_panels(a, b, depth, sums);
}

#if defined(__x86_64__)
/// Wider registers, the same bits: products and sums are not fused.
__attribute__((target("avx2"))) void multiply_panels_avx2(const float* a, const float* b, int64_t depth, float* sums) {
  multiply_panels(a, b, depth, sums);
}
const auto multiply_tile = __builtin_cpu_supports("avx2") ? multiply_panels_avx2 : multiply_panels_portable;
#else
const auto multiply_tile = multiply_panels_portable;
#endif

}  // namespace

void multiply(int64_t m, int64_t n, int64_t k, float alpha, const Operand& a, const Operand& b, Rounding rounding,
              float beta, void* c, Element c_element, int64_t c_leading) {
  std::vector<float> a_panels, b_panels;
  pack(a, m, k, a.transposed ? a.leading : 1, a.transposed ? 1 : a.leading, kRows, rounding, &a_panels);
  pack(b, n, k, b.transposed ? 1 : b.leading, b.transposed ? b.leading : 1, kCols, rounding, &b_panels);
  for (int64_t col = 0; col < n; col += kCols) {
    for (int64_t row = 0; row < m; row += kRows) {
      float sums[kCols * kRows];
      multiply_tile(a_panels.data() + row * k, b_panels.data() + col * k, k, sums);
      for (int64_t j = 0; j < std::min(kCols, n - col); ++j) {
        for (int64_t i = 0; i < std::min(kRows, m - row); ++i) {
          const int64_t index = row + i + (col + j) * c_leading;
          const float before = beta != 0.0f ? beta * load(c, c_element, index) : 0.0f;
          const float value = alpha * sums[j * kRows + i] + before;
          if (c_element == Element::float32) {
            static_cast<float*>(c)[index] = value;
          } else {
            static_cast<uint16_t*>(c)[index] = to_bfloat16(value);
          }
        }
      }
    }
  }
}

}  // namespace gru4rec::emulator
