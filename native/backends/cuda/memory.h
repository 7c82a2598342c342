#pragma once

#include <cstdint>
#include <string>

#include "backend/backend.h"
#include "backends/cuda/runtime.h"

/// What there is to know of the current device, and its memory. All throw ErrorCode::device.
namespace gru4rec::cuda {

std::string current_device_name();
DeviceMemory current_device_memory();

/// Memory of the current device, for cudaFree. Throws ErrorCode::out_of_memory with what was asked for and what is
/// free.
void* allocate_device_memory(int64_t bytes);
/// Host memory that a device copies from and to by itself, for cudaFreeHost. Throws as allocate_device_memory.
void* allocate_pinned_memory(int64_t bytes);

}  // namespace gru4rec::cuda
