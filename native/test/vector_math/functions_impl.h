#pragma once

#include "backends/cpu/kernels/vector_math.h"
#include "vector_math/functions.h"

namespace gru4rec::cpu::GRU_ISA {

template <class F>
GRU_INLINE void map(const float* x, int64_t n, float* out, const F& f) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(out + i, f(load(x + i)));
  if (i < n) store_partial(out + i, f(load_partial(x + i, n - i)), n - i);
}

extern const VectorFunctions kVectorFunctions = {
    [](const float* x, int64_t n, float* out) { map(x, n, out, [](Vec a) { return exp(a); }); },
    [](const float* x, int64_t n, float* out) { map(x, n, out, [](Vec a) { return exp_minus_1(a); }); },
    [](const float* x, int64_t n, float* out) { map(x, n, out, [](Vec a) { return log(a); }); },
    [](const float* x, int64_t n, float* out) { map(x, n, out, [](Vec a) { return sigmoid(a); }); },
    [](const float* x, int64_t n, float* out) { map(x, n, out, [](Vec a) { return tanh(a); }); },
    [](const float* x, int64_t n, float* out) { map(x, n, out, [](Vec a) { return softplus(a); }); },
    [](const float* x) { return sum(load(x)); },
    [](const float* x) { return max_lane(load(x)); },
    kLanes};

}  // namespace gru4rec::cpu::GRU_ISA
