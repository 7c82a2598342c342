#pragma once

#include <cstdint>

namespace gru4rec::cuda {

/// Memory of the current device, for cudaFree. Throws ErrorCode::out_of_memory with what was asked for and what is
/// free, ErrorCode::device.
void* allocate_device_memory(int64_t bytes);
/// Host memory that a device copies from and to by itself, for cudaFreeHost. Throws as allocate_device_memory.
void* allocate_pinned_memory(int64_t bytes);

}  // namespace gru4rec::cuda
