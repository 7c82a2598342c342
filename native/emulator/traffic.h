#pragma once

#include <cstddef>
#include <cstdint>

namespace gru4rec::emulator {

/// What a GPU's level 2 cache reads and writes at once; traffic is counted in whole ones.
constexpr size_t kSectorBytes = 32;

/// Device memory that one piece of work touches. A sector counts once, however often it is read.
struct Traffic {
  uint64_t bytes_read = 0, bytes_written = 0;          ///< of the level 2 cache
  uint64_t bytes_fetched = 0, bytes_written_back = 0;  ///< of memory behind that: what the cache did not hold
  uint64_t accesses = 0;                               ///< loads and stores of all threads of a kernel
};

/// Empties the cache.
void forget_traffic();
/// From here to end_traffic() everything that touches device memory is counted.
void start_traffic();
Traffic end_traffic();

/// Counts what a product or a copy does, where its traffic is counted. Kernels are counted by their instrumentation.
void count_read(const void* address, size_t bytes);
void count_written(const void* address, size_t bytes);

/// Whether kernels were compiled so that their loads and stores are counted.
bool kernels_are_counted();

}  // namespace gru4rec::emulator
