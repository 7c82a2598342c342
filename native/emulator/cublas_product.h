#pragma once

#include <cstdint>

namespace gru4rec::emulator {

/// How the elements of an operand are stored.
enum class Element { float32, bfloat16 };
/// To what the operands are rounded before they are multiplied; sums are float32.
enum class Rounding { none, tf32, bfloat16 };

/// A column-major matrix: element (r, c) at `data + r + c * leading`, or its transpose.
struct Operand {
  const void* data;
  Element element;
  int64_t leading;
  bool transposed;
};

/// c [m, n] <- alpha a [m, k] b [k, n] + beta c; c is only read where beta is not 0. Every element is one sum in the
/// order of k, whatever its place and whatever m and n.
void multiply(int64_t m, int64_t n, int64_t k, float alpha, const Operand& a, const Operand& b, Rounding rounding,
              float beta, void* c, Element c_element, int64_t c_leading);

}  // namespace gru4rec::emulator
