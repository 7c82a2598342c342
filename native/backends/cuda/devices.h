#pragma once

#include "backends/cuda_library/cuda_library.h"

/// What there is to compute on. The functions of the C table never throw: what cannot be used says why.
namespace gru4rec::cuda_library {

void driver(Driver* out);
/// Opens a context on the device, which takes some of its memory, and makes it the current one of this thread.
void device(int32_t number, Device* out);
/// Which cuBLAS a device has; it is not opened, so that the device may still refuse it.
void blas(int32_t number, const char* cublas_path, Blas* out);

}  // namespace gru4rec::cuda_library

namespace gru4rec::cuda {

/// Makes a device the current one of this thread. Throws ErrorCode::device when there is no such device or it cannot be
/// used, saying the same as the functions above.
void select_device(int number);

}  // namespace gru4rec::cuda
