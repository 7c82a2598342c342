#pragma once

#include <cuda_runtime.h>

#include "backend/backend.h"
#include "backends/cuda_library/cell_size.h"

/// The recurrent cell of a small layer: a step in one kernel, and what of its gradients works row by row in another.
/// Both are as gru_forward and gru_backward say, for a layer that cell_suits and at least one row. They compute in
/// float32 whatever the precision of the products is, so they are never less accurate than products are, and sum in
/// an order that only the sizes of the layer decide: a row has the same bits wherever it stands.
namespace gru4rec::cuda {

using cuda_library::cell_suits;

void cell_forward(const GruLayer& layer, ConstMatrix input_gates, const Dropout& dropout, const GruTrace& trace,
                  Matrix hidden, cudaStream_t stream);

/// gru_backward without the gradients of the parameters, which are sums over the rows. Where the layer resets after the
/// product, `gradient` [M, H] becomes that of h Whc + bhc.
void cell_backward(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout, Matrix gradient,
                   Matrix gate_gradients, Matrix input_gradient, Matrix state_gradient, cudaStream_t stream);

}  // namespace gru4rec::cuda
