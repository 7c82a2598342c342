#include "backends/cuda/cuda_backend_impl.h"

namespace gru4rec::cuda {

void CudaBackend::do_gru_forward(const GruLayer&, ConstMatrix, const Dropout&, const GruTrace&, Matrix) {}
void CudaBackend::do_gru_backward(const GruLayer&, const GruTrace&, const Dropout&, Matrix, Matrix, Matrix,
                                  const GruGradients&) {}

}  // namespace gru4rec::cuda
