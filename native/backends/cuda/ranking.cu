#include "backends/cuda/cuda_backend_impl.h"

namespace gru4rec::cuda {

void CudaBackend::do_target_ranks(ConstMatrix, ConstMatrix, ConstMatrix, Span<const int32_t>, const Candidates&,
                                  Span<int32_t>, Span<int32_t>) {}
void CudaBackend::do_top_k(ConstMatrix, ConstMatrix, ConstMatrix, int64_t, const Candidates&, const Exclusions&,
                           Span<int32_t>, Matrix, Span<float>) {}

}  // namespace gru4rec::cuda
