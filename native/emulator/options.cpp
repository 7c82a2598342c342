#include "emulator/options.h"

#include <cerrno>
#include <cstdlib>
#include <iterator>

#include "emulator/report.h"

namespace gru4rec::emulator {

namespace {

constexpr int kRuntimeVersion = 13000;

const char* variable(const std::string& name) { return std::getenv(("GRU4REC_EMULATOR_" + name).c_str()); }

int64_t number(const std::string& name, int64_t otherwise) {
  const char* text = variable(name);
  if (text == nullptr) return otherwise;
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || value < 0)
    fail("Expected GRU4REC_EMULATOR_%s to be a number but received %s", name.c_str(), text);
  return value;
}

template <class T>
struct Choice {
  const char* name;
  T value;
};

constexpr Choice<Schedule> kSchedules[] = {{"forward", Schedule::forward},
                                           {"reverse", Schedule::reverse},
                                           {"random", Schedule::random},
                                           {"uniform", Schedule::uniform},
                                           {"mix", Schedule::mix}};
constexpr Choice<StreamOrder> kStreamOrders[] = {
    {"eager", StreamOrder::eager}, {"lazy", StreamOrder::lazy}, {"random", StreamOrder::random}};

template <class T, size_t kCount>
T choose(const char* what, const std::string& name, const Choice<T> (&choices)[kCount]) {
  std::string names;
  for (const Choice<T>& choice : choices) {
    if (name == choice.name) return choice.value;
    names += (names.empty() ? "" : "|") + std::string(choice.name);
  }
  fail("Expected %s to be %s but received %s", what, names.c_str(), name.c_str());
}

std::string text(const std::string& name, const char* otherwise) {
  const char* value = variable(name);
  return value != nullptr ? value : otherwise;
}

/// Shared memory that a block can have, in KB (CUDA C++ Programming Guide, "Compute Capabilities").
int64_t shared_kilobytes(int capability) {
  switch (capability) {
    case 75:
      return 64;
    case 80:
    case 87:
      return 163;
    case 90:
    case 100:
    case 103:
      return 227;
    default:
      return 99;
  }
}

Options read_options() {
  Options read;
  read.schedule = choose("GRU4REC_EMULATOR_SCHEDULE", text("SCHEDULE", "mix"), kSchedules);
  read.streams = choose("GRU4REC_EMULATOR_STREAMS", text("STREAMS", "lazy"), kStreamOrders);
  read.seed = static_cast<uint64_t>(number("SEED", 1));
  read.resident = number("RESIDENT", 0);
  read.stack_bytes = number("STACK_KB", 256) * 1024;
  read.protect_bytes = number("PROTECT_MB", 8) << 20;
  read.devices = static_cast<int>(number("DEVICES", 1));
  read.driver_version = static_cast<int>(number("DRIVER", kRuntimeVersion));
  read.capability = static_cast<int>(number("CAPABILITY", 86));
  read.oldest_code = static_cast<int>(number("OLDEST_CODE", 75));
  read.multiprocessors = static_cast<int>(number("SMS", 4));
  read.cache_bytes = number("L2_KB", 4096) * 1024;
  if (read.cache_bytes == 0) fail("Expected GRU4REC_EMULATOR_L2_KB to be at least 1 but received 0");
  read.memory_bytes = number("MEMORY_MB", 8192) << 20;
  read.shared_bytes = number("SHARED_KB", shared_kilobytes(read.capability)) * 1024;
  read.cublas_version = static_cast<int>(number("CUBLAS_VERSION", 130002));
  read.fail_allocation = number("FAIL_ALLOCATION", 0);
  read.fail_launch = number("FAIL_LAUNCH", 0);
  read.resources = text("RESOURCES", "");
  read.profile = number("PROFILE", 0) != 0;
  return read;
}

/// State of the xorshift generator, never 0.
uint64_t start_of(uint64_t seed) { return 0x9E3779B97F4A7C15u * (seed + 1) | 1; }

uint64_t random_state = 0;

}  // namespace

Options& options() {
  static Options options = read_options();
  return options;
}

uint64_t random_number() {
  if (random_state == 0) random_state = start_of(options().seed);
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

void set_schedule(const char* schedule, uint64_t seed) {
  options().schedule = choose("the schedule", schedule, kSchedules);
  options().seed = seed;
  random_state = start_of(seed);
}

}  // namespace gru4rec::emulator
