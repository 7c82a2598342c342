#if defined(__x86_64__)

#define GRU_ISA avx2
#include "backends/cpu/kernels/kernels_impl.h"

namespace gru4rec::cpu {

extern const Kernels kAvx2Kernels;
const Kernels kAvx2Kernels = avx2::kKernels;

}  // namespace gru4rec::cpu

#endif  // __x86_64__
