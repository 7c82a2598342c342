#pragma once

#include <cuda_runtime.h>

namespace gru4rec::emulator {

/// Static and dynamic shared memory that a block may have without cudaFuncSetAttribute.
constexpr size_t kSharedWithoutAsking = 48 * 1024;

/// Shared memory that a block of this kernel may have in all.
size_t shared_memory_limit(const void* function);

/// Runs a kernel whose launch was accepted; the pointers among its arguments are checked once more.
void execute(const Kernel& kernel, int device);

}  // namespace gru4rec::emulator
