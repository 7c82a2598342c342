#include "backends/cuda/cuda_backend_impl.h"

namespace gru4rec::cuda {

void CudaBackend::do_scores(ConstMatrix, ConstMatrix, ConstMatrix, Span<const int32_t>, const LogQ&, Matrix) {}
void CudaBackend::do_scores_backward(ConstMatrix, ConstMatrix, ConstMatrix, Span<const int32_t>, Matrix, Matrix,
                                     Matrix) {}

}  // namespace gru4rec::cuda
