#pragma once

#include "emulator/emulator.h"

namespace gru4rec::emulator {

Gru4recEmulatorCounters& counters();

/// Whether the test wants the allocation or launch that is about to happen to fail. Counts it.
bool should_fail_allocation();
bool should_fail_launch();

}  // namespace gru4rec::emulator
