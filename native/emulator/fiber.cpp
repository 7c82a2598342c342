#include "emulator/fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "emulator/options.h"
#include "emulator/report.h"
#include "emulator/sanitizers.h"

/// Saves what a function must preserve on the stack, stores the stack pointer in *save and goes on where `load` was
/// saved. A hand-written switch takes nanoseconds; swapcontext makes two system calls.
extern "C" void gru4rec_emulator_switch_stacks(void** save, void* load);

#if defined(__x86_64__)
asm(R"(
.text
.globl gru4rec_emulator_switch_stacks
.hidden gru4rec_emulator_switch_stacks
.type gru4rec_emulator_switch_stacks, @function
gru4rec_emulator_switch_stacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size gru4rec_emulator_switch_stacks, . - gru4rec_emulator_switch_stacks
)");
#elif defined(__aarch64__)
asm(R"(
.text
.globl gru4rec_emulator_switch_stacks
.hidden gru4rec_emulator_switch_stacks
.type gru4rec_emulator_switch_stacks, %function
gru4rec_emulator_switch_stacks:
  sub sp, sp, #160
  stp x19, x20, [sp]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size gru4rec_emulator_switch_stacks, . - gru4rec_emulator_switch_stacks
)");
#else
#error "The emulator switches stacks on x86-64 and aarch64 only"
#endif

namespace gru4rec::emulator {

Fiber host_fiber;
Fiber* current_fiber = &host_fiber;

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kGuard = size_t{1} << 20;  ///< below a stack: more than the local memory that a kernel may have

Fiber* all_fibers = nullptr;
Fiber* free_fibers = nullptr;
size_t fiber_count = 0;

Fiber* make_fiber() {
  const size_t stack_bytes = static_cast<size_t>(options().stack_bytes) / kPage * kPage;
  void* memory =
      mmap(nullptr, kGuard + stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) fail("Expected memory for the stack of a CUDA thread but the system gave none");
  mprotect(memory, kGuard, PROT_NONE);
  Fiber* fiber = new Fiber;
  fiber->number = fiber_count++;
  fiber->stack = static_cast<char*>(memory) + kGuard;
  fiber->stack_bytes = stack_bytes;
#ifdef GRU4REC_EMULATOR_TSAN
  fiber->sanitizer_thread = __tsan_create_fiber(0);
#endif
  fiber->next = all_fibers;
  all_fibers = fiber;
  return fiber;
}

/// Writes what switch_stacks expects at the top of the stack. Stacks start at different places of their pages, else the
/// same few lines of the cache would serve all of them.
void prepare(Fiber* fiber, void (*entry)()) {
  constexpr size_t kLine = 64, kPlaces = 48;
  char* top = fiber->stack + fiber->stack_bytes - (fiber->number % kPlaces + 1) * kLine;
#if defined(__x86_64__)
  constexpr size_t kSaved = 6;
  void** frame = reinterpret_cast<void**>(top) - 2 - kSaved;
  std::memset(frame, 0, kSaved * sizeof(void*));
  frame[kSaved] = reinterpret_cast<void*>(entry);
  frame[kSaved + 1] = nullptr;  // where `entry` would return to
#else
  constexpr size_t kSaved = 20, kLinkRegister = 11;
  void** frame = reinterpret_cast<void**>(top) - kSaved;
  std::memset(frame, 0, kSaved * sizeof(void*));
  frame[kLinkRegister] = reinterpret_cast<void*>(entry);
#endif
  fiber->stack_pointer = frame;
}

}  // namespace

void adopt_host_thread() {
#ifdef GRU4REC_EMULATOR_ASAN
  // Once a thread: the C library reads all of the process's memory map to say where the main thread's stack is.
  static thread_local char* stack = nullptr;
  static thread_local size_t stack_bytes = 0;
  if (stack == nullptr) {
    pthread_attr_t attributes;
    void* lowest = nullptr;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &lowest, &stack_bytes);
    pthread_attr_destroy(&attributes);
    stack = static_cast<char*>(lowest);
  }
  host_fiber.stack = stack;
  host_fiber.stack_bytes = stack_bytes;
#endif
#ifdef GRU4REC_EMULATOR_TSAN
  host_fiber.sanitizer_thread = __tsan_get_current_fiber();
#endif
  current_fiber = &host_fiber;
}

Fiber* take_fiber(void (*entry)()) {
  Fiber* fiber = free_fibers;
  if (fiber != nullptr) {
    free_fibers = fiber->next_free;
  } else {
    fiber = make_fiber();
  }
  prepare(fiber, entry);
  return fiber;
}

void switch_to(Fiber* to) {
  Fiber* from = current_fiber;
  current_fiber = to;
#ifdef GRU4REC_EMULATOR_ASAN
  __sanitizer_start_switch_fiber(&from->sanitizer_stack, to->stack, to->stack_bytes);
#endif
#ifdef GRU4REC_EMULATOR_TSAN
  __tsan_switch_to_fiber(to->sanitizer_thread, __tsan_switch_to_fiber_no_sync);
#endif
  gru4rec_emulator_switch_stacks(&from->stack_pointer, to->stack_pointer);
#ifdef GRU4REC_EMULATOR_ASAN
  __sanitizer_finish_switch_fiber(from->sanitizer_stack, nullptr, nullptr);
#endif
}

void leave_for(Fiber* to) {
  Fiber* from = current_fiber;
  current_fiber = to;
  from->next_free = free_fibers;
  free_fibers = from;
#ifdef GRU4REC_EMULATOR_ASAN
  __sanitizer_start_switch_fiber(nullptr, to->stack, to->stack_bytes);  // null: this fiber is over
#endif
#ifdef GRU4REC_EMULATOR_TSAN
  __tsan_switch_to_fiber(to->sanitizer_thread, __tsan_switch_to_fiber_no_sync);
#endif
  gru4rec_emulator_switch_stacks(&from->stack_pointer, to->stack_pointer);
  __builtin_unreachable();
}

void fiber_started() {
#ifdef GRU4REC_EMULATOR_ASAN
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

bool is_stack_overflow(const void* address) {
  const char* byte = static_cast<const char*>(address);
  for (const Fiber* fiber = all_fibers; fiber != nullptr; fiber = fiber->next) {
    if (byte >= fiber->stack - kGuard && byte < fiber->stack) return true;
  }
  return false;
}

}  // namespace gru4rec::emulator
