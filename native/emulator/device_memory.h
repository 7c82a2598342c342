#pragma once

#include <cstddef>
#include <cstdint>

namespace gru4rec::emulator {

/// Device memory is an arena of addresses that no host memory shares. Every allocation is filled with NaN and lies
/// between zones that must stay as they are; freed memory is never handed out again and faults. While the arena is
/// small, it also faults when host code touches it.

/// A live allocation, or null where there is no room or the test wanted it to fail.
void* allocate_device_memory(size_t bytes, int device);
/// Returns its size. Ends the process where `memory` is not the start of a live allocation.
size_t free_device_memory(void* memory);

bool is_device_memory(const void* address);
/// The addresses of all device memory, of all devices; none before the first allocation.
struct Arena {
  const char* start;
  size_t bytes;
};
Arena device_arena();
/// Why a kernel on `device` cannot be given this pointer, or null if it can. Null pointers are fine.
const char* problem_of_pointer(const void* pointer, int device);
/// Whether [address, address + bytes) lies in one live allocation.
bool is_device_range(const void* address, size_t bytes);
/// Ends the process, naming `what`, where something was written outside the live allocations.
void check_zones(const char* what);

/// Bytes that are taken on a device, which counts them in whole units.
size_t used_device_memory(int device);

/// Lets kernels and copies use device memory for as long as it lives.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

/// Pinned host memory.
void* allocate_pinned(size_t bytes);
/// Returns its size. Ends the process where `memory` was not allocated so.
size_t free_pinned(void* memory);
bool is_pinned_range(const void* address, size_t bytes);

}  // namespace gru4rec::emulator
