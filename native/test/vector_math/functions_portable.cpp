#define GRU_ISA portable
#include "vector_math/functions_impl.h"
