#include "backends/cuda/cuda_backend_impl.h"

namespace gru4rec::cuda {

void CudaBackend::do_draw_negatives(const SamplingTableView&, const RandomStream&, MatrixView<int32_t>) {}

}  // namespace gru4rec::cuda
