#pragma once

#include <cstdint>
#include <string>

namespace gru4rec::emulator {

/// In which order the threads of the blocks in flight run between two places where they have to wait.
enum class Schedule {
  forward,  ///< by thread number; blocks in order
  reverse,  ///< by thread number, last first; blocks too
  random,  ///< by a random rank of each warp and of each lane in it: one warp can run far ahead. Blocks in random order
  uniform,  ///< any thread next, which may also lose its turn at an atomic operation. Blocks in random order
  mix       ///< one of the others, drawn for each set of blocks. Blocks in random order
};

/// When the work of streams runs.
enum class StreamOrder {
  eager,  ///< at once
  lazy,   ///< when something waits for it
  random  ///< some of it after each call
};

/// The environment variables GRU4REC_EMULATOR_*; README.md says what each is for.
struct Options {
  Schedule schedule;
  StreamOrder streams;
  uint64_t seed;
  int64_t resident;  ///< blocks in flight at once; 0 = 1 for fixed schedules, else 1 to 4, drawn
  int64_t stack_bytes;
  int64_t protect_bytes;  ///< device memory is unreadable by host code up to this size

  int devices;
  int driver_version;
  int capability;   ///< 86 = 8.6
  int oldest_code;  ///< kernels were compiled for this capability and newer ones
  int multiprocessors;
  int64_t cache_bytes;  ///< of the level 2 cache
  int64_t memory_bytes;
  int64_t shared_bytes;  ///< of a block, at most
  int cublas_version;

  int64_t fail_allocation;  ///< the how-manieth fails; 0 = none
  int64_t fail_launch;
  std::string resources;  ///< path of nvcc's resource table, or empty
  bool profile;
};

/// Read once. Ends the process at a value that it does not know.
Options& options();

/// From one sequence, seeded by GRU4REC_EMULATOR_SEED.
uint64_t random_number();
/// From 0 to count - 1.
inline uint64_t random_below(uint64_t count) { return random_number() % count; }
/// As a process that starts with these; ends the process at a schedule that it does not know.
void set_schedule(const char* schedule, uint64_t seed);

}  // namespace gru4rec::emulator
