#if defined(__x86_64__)
#define GRU_ISA avx512
#include "backends/cpu/gemm/micro_kernels_impl.h"
#endif
