#pragma once

#include "emulator/streams.h"

namespace gru4rec::emulator {

/// Runs a piece of work that is no graph.
/// @param after  records that it comes after
/// @param graph  the how-manieth launch of a graph it belongs to; 0 = it stands in a stream by itself
/// Returns what the work behind it comes after: its own record, where there is a profile.
Records run_work(const Work& work, const Records& after, uint64_t graph = 0);

}  // namespace gru4rec::emulator
