#include "backends/cpu/gemm/micro_kernels.h"

namespace gru4rec::cpu {

const MicroKernels& micro_kernels(Isa isa) {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx512:
      return avx512::kMicroKernels;
    case Isa::avx2:
      return avx2::kMicroKernels;
#else
    case Isa::avx512:
    case Isa::avx2:
#endif
    case Isa::portable:
      break;
  }
  return portable::kMicroKernels;
}

}  // namespace gru4rec::cpu
