#define GRU_ISA portable
#include "backends/cpu/kernels/kernels_impl.h"

namespace gru4rec::cpu {

extern const Kernels kPortableKernels;
const Kernels kPortableKernels = portable::kKernels;

}  // namespace gru4rec::cpu
