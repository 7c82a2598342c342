#include "emulator/faults.h"

#include <signal.h>
#include <sys/mman.h>

#include "emulator/device_memory.h"
#include "emulator/fiber.h"
#include "emulator/report.h"
#include "emulator/sanitizers.h"
#include "emulator/scheduler.h"

namespace gru4rec::emulator {

namespace {

struct sigaction action_before;

void handle_fault(int signal, siginfo_t* info, void* context) {
  const void* address = info->si_addr;
  if (is_device_memory(address)) {
    if (current_thread == nullptr) fail("host code touches device memory at %p", address);
    fail("the kernel touches device memory at %p, which is not allocated or was freed", address);
  }
  if (is_stack_overflow(address))
    fail("the stack of a CUDA thread overflows; GRU4REC_EMULATOR_STACK_KB gives it another size");
  if ((action_before.sa_flags & SA_SIGINFO) != 0) {
    action_before.sa_sigaction(signal, info, context);
  } else if (action_before.sa_handler != SIG_DFL && action_before.sa_handler != SIG_IGN) {
    action_before.sa_handler(signal);
  } else {
    print_place(stderr);
    sigaction(signal, &action_before, nullptr);  // the fault happens again and ends the process
  }
}

/// Belongs to a thread for as long as that lives.
class SignalStack {
 public:
  SignalStack() {
    stack_t present;
    if (sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
    void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    stack_t own{};
    own.ss_sp = memory_ = memory;
    own.ss_size = kBytes;
    sigaltstack(&own, nullptr);
  }
  ~SignalStack() {
    if (memory_ == nullptr) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
    munmap(memory_, kBytes);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  static constexpr size_t kBytes = 65536;
  void* memory_ = nullptr;
};

}  // namespace

void watch_faults() {
  report_at_death([] { print_place(stderr); });
  struct sigaction action {};
  action.sa_sigaction = handle_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, &action_before);
}

void provide_signal_stack() { static thread_local SignalStack stack; }

}  // namespace gru4rec::emulator
