#if defined(__x86_64__)
#define GRU_ISA avx2
#include "backends/cpu/gemm/micro_kernels_impl.h"
#endif
