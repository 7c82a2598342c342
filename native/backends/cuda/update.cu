#include "backends/cuda/cuda_backend_impl.h"

namespace gru4rec::cuda {

void CudaBackend::do_group_rows(Span<const int32_t>, int64_t, const RowGroups&) {}
void CudaBackend::do_add_squared_norm(ConstMatrix, double*) {}
void CudaBackend::do_add_squared_norm_rows(const RowGroups&, ConstMatrix, double*) {}
void CudaBackend::do_clip_scale(double, double*, float*) {}
void CudaBackend::do_update_dense(const Optimiser&, ConstMatrix, const float*, const TrainableMatrix&) {}
void CudaBackend::do_update_rows(const Optimiser&, const RowGroups&, ConstMatrix, const float*,
                                 const TrainableMatrix&) {}

}  // namespace gru4rec::cuda
