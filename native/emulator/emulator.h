#pragma once

#include <stdint.h>

/// What tests ask of the emulator beside the CUDA runtime. The functions are exported by libgru4rec_emulator.so.
extern "C" {

/// Counted since the start of the process or the last reset; the live and peak bytes go on over a reset.
struct Gru4recEmulatorCounters {
  uint64_t launches;                                         ///< kernels that were launched one by one
  uint64_t graph_launches;                                   ///< whole graphs
  uint64_t graph_nodes, graph_depth;                         ///< of the last one: nodes, and those of its longest chain
  uint64_t products;                                         ///< of cuBLAS
  uint64_t copies;                                           ///< calls that copy
  uint64_t bytes_to_device, bytes_to_host, bytes_on_device;  ///< of copies, when they run
  uint64_t synchronisations;                                 ///< calls that wait for a device, a stream or an event
  uint64_t allocations;                                      ///< of device memory and of pinned memory
  uint64_t live_bytes, peak_bytes;                           ///< of device memory, as asked for
  uint64_t live_pinned_bytes;
  uint64_t live_objects;  ///< allocations, streams, events, graphs and cuBLAS handles
};

void gru4rec_emulator_read_counters(Gru4recEmulatorCounters* counters);
/// Sets all to 0 but the live ones; the peak becomes what is live.
void gru4rec_emulator_reset_counters();

/// "forward", "reverse", "random", "uniform" or "mix", and the seed of all random decisions from here on.
void gru4rec_emulator_set_schedule(const char* schedule, uint64_t seed);

/// From here on all work is recorded as it runs, with what it has to wait for: the edges of graphs, the order of
/// streams, events. What an earlier profile recorded is forgotten.
void gru4rec_emulator_start_profile();
/// Ends the recording and writes it as JSON: {kernelsAreCounted, nodes: [{kind, name, precision, graph, blocks,
/// threads, flops, bytesRead, bytesWritten, bytesFetched, bytesWrittenBack, accesses, milliseconds, after}]}. `after`
/// holds places in `nodes`, `graph` says which launch of a graph a node belongs to, 0 = none. Work that is enqueued and
/// has not run is not in it.
void gru4rec_emulator_write_profile(const char* path);

/// The n-th next allocation fails, of device memory or of pinned memory; 0 = none.
void gru4rec_emulator_fail_allocation(uint64_t n);
/// The n-th next launch, of a kernel or of a graph, breaks the device: every later call returns
/// cudaErrorIllegalAddress. 0 = none.
void gru4rec_emulator_fail_launch(uint64_t n);
/// Makes a broken device usable again, as a new process would. What was enqueued before is gone.
void gru4rec_emulator_mend();

}  // extern "C"
