#include "backends/cuda/cuda_backend_impl.h"

namespace gru4rec::cuda {

void CudaBackend::do_loss_gradient(const Loss&, int64_t, Matrix, Span<float>) {}
void CudaBackend::do_accumulate_loss(Span<const float>, int64_t, LossTotals*) {}
void CudaBackend::do_activate_scores(const Activation&, Matrix) {}

}  // namespace gru4rec::cuda
