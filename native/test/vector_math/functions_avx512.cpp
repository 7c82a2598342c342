#if defined(__x86_64__)
#define GRU_ISA avx512
#include "vector_math/functions_impl.h"
#endif
