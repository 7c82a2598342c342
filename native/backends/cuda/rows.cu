#include "backends/cuda/cuda_backend_impl.h"

namespace gru4rec::cuda {

void CudaBackend::do_fill(float, Matrix) {}
void CudaBackend::do_copy(ConstMatrix, Matrix) {}
void CudaBackend::do_gather_rows(ConstMatrix, Span<const int32_t>, const Dropout&, Matrix) {}
void CudaBackend::do_carry_state(ConstMatrix, Span<const int32_t>, Matrix) {}
void CudaBackend::do_dropout_backward(const Dropout&, Matrix) {}

}  // namespace gru4rec::cuda
