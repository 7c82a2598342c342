#if defined(__x86_64__)

#define GRU_ISA avx512
#include "backends/cpu/kernels/kernels_impl.h"

namespace gru4rec::cpu {

extern const Kernels kAvx512Kernels;
const Kernels kAvx512Kernels = avx512::kKernels;

}  // namespace gru4rec::cpu

#endif  // __x86_64__
