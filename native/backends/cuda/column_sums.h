#pragma once

#include <cuda_runtime.h>

#include "core/matrix.h"

namespace gru4rec::cuda {

/// sums [cols, 1] <- sums of the columns of `from` [rows, cols], in a fixed order; with `add`, added to what is there.
/// @param stride  elements from one sum to the next
void column_sums(ConstMatrix from, float* sums, int64_t stride, bool add, cudaStream_t stream);

}  // namespace gru4rec::cuda
