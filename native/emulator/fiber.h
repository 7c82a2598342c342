#pragma once

#include <cstddef>

namespace gru4rec::emulator {

/// A stack of its own on which CUDA threads run, one after the other. Lives at the low end of its memory; between it
/// and the stack is memory that nobody may touch: a kernel's stack overflow is a fault, not a corruption.
struct Fiber {
  size_t number = 0;
  void* stack_pointer = nullptr;  ///< while another fiber runs
  char* stack = nullptr;
  size_t stack_bytes = 0;
  void* sanitizer_stack = nullptr;   ///< AddressSanitizer's fake stack, while another fiber runs
  void* sanitizer_thread = nullptr;  ///< what ThreadSanitizer takes this fiber for
  Fiber* next_free = nullptr;
  Fiber* next = nullptr;  ///< of all fibers
};

/// The fiber of the host thread that runs kernels, and the one that runs now.
extern Fiber host_fiber;
extern Fiber* current_fiber;

/// Makes the stack of the calling host thread `host_fiber`.
void adopt_host_thread();

/// A fiber that starts with `entry` when it is switched to, which must not return.
Fiber* take_fiber(void (*entry)());

void switch_to(Fiber* to);
/// As switch_to, and the fiber that runs now is free to be taken again: it never comes back here.
[[noreturn]] void leave_for(Fiber* to);
/// Every fiber starts with this.
void fiber_started();

/// Whether `address` is just below the stack of a fiber.
bool is_stack_overflow(const void* address);

}  // namespace gru4rec::emulator
