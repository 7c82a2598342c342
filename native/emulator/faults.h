#pragma once

namespace gru4rec::emulator {

/// From now on says what happened when host code touches device memory, a kernel touches freed memory or a CUDA
/// thread's stack overflows. Other faults go where they went before.
void watch_faults();
/// Gives the calling thread a stack for the handler, which a thread whose own stack has overflowed needs.
void provide_signal_stack();

}  // namespace gru4rec::emulator
