#pragma once

#include "backends/cuda_library/cuda_library.h"

/// What there is to compute on. None of these throws: what cannot be used says why.
namespace gru4rec::cuda_library {

void driver(Driver* out);
void device(int32_t number, Device* out);
void blas(const char* cublas_path, Blas* out);

}  // namespace gru4rec::cuda_library
