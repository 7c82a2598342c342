#define GRU_ISA portable
#include "backends/cpu/gemm/micro_kernels_impl.h"
