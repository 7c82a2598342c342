#pragma once

#include <cuda_runtime.h>

#include "backends/cuda/gemm/gemm.h"

namespace gru4rec::cuda {

/// out <- a b, or out + a b where `accumulate`, by a kernel of our own in float32. Element (i, j) is summed over k in
/// ascending order, wherever it stands and whatever else is computed, and added to `out` last. `out` is not empty.
void tiled_multiply(const Factor& a, const Factor& b, bool accumulate, Matrix out, cudaStream_t stream);

}  // namespace gru4rec::cuda
