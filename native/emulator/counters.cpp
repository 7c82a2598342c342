#include "emulator/counters.h"

#include "emulator/api_call.h"
#include "emulator/options.h"

namespace gru4rec::emulator {

namespace {

/// How many are left until one fails; 0 = none will.
struct Planned {
  uint64_t allocation, launch;
};

Planned& planned() {
  static Planned planned = {static_cast<uint64_t>(options().fail_allocation),
                            static_cast<uint64_t>(options().fail_launch)};
  return planned;
}

bool is_the_one(uint64_t* left) { return *left > 0 && --*left == 0; }

}  // namespace

Gru4recEmulatorCounters& counters() {
  static Gru4recEmulatorCounters counters{};
  return counters;
}

bool should_fail_allocation() { return is_the_one(&planned().allocation); }
bool should_fail_launch() { return is_the_one(&planned().launch); }

}  // namespace gru4rec::emulator

using namespace gru4rec::emulator;

extern "C" {

void gru4rec_emulator_read_counters(Gru4recEmulatorCounters* out) {
  const ApiCall call;
  *out = counters();
}

void gru4rec_emulator_reset_counters() {
  const ApiCall call;
  Gru4recEmulatorCounters fresh{};
  fresh.live_bytes = fresh.peak_bytes = counters().live_bytes;
  fresh.live_pinned_bytes = counters().live_pinned_bytes;
  fresh.live_objects = counters().live_objects;
  counters() = fresh;
}

void gru4rec_emulator_set_schedule(const char* schedule, uint64_t seed) {
  const ApiCall call;
  set_schedule(schedule, seed);
}

void gru4rec_emulator_fail_allocation(uint64_t n) {
  const ApiCall call;
  planned().allocation = n;
}

void gru4rec_emulator_fail_launch(uint64_t n) {
  const ApiCall call;
  planned().launch = n;
}

void gru4rec_emulator_mend() {
  const ApiCall call;
  mend_device();
}

}  // extern "C"
