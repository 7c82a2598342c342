#pragma once

#include <cstdint>

#include "backends/cpu/isa.h"

namespace gru4rec::cpu {

/// The functions of kernels/vector_math.h, out[i] <- f(x[i]) for i < n, compiled for one instruction set. A remainder
/// goes through load_partial and store_partial.
struct VectorFunctions {
  using Function = void (*)(const float* x, int64_t n, float* out);

  Function exp, exp_minus_1, log, sigmoid, tanh, softplus;
  float (*sum)(const float* x);       ///< of the lanes of one vector
  float (*max_lane)(const float* x);  ///< of one vector
  int lanes;
};

namespace portable {
extern const VectorFunctions kVectorFunctions;
}
#if defined(__x86_64__)
namespace avx2 {
extern const VectorFunctions kVectorFunctions;
}
namespace avx512 {
extern const VectorFunctions kVectorFunctions;
}
#endif

}  // namespace gru4rec::cpu
