#pragma once

#include <dlfcn.h>

#include <optional>
#include <string>

#include "emulator/emulator.h"
#include "harness.h"

namespace gru4rec::test {

/// What the emulator under the CUDA back end counts and breaks.
class EmulatedDevice {
 public:
  /// The choice of the emulated device, or none where there is none or CUDA is a real one.
  static std::optional<EmulatedDevice> find() {
    for (const BackendChoice& choice : backend_choices()) {
      if (choice.options.device != "cuda") continue;
      make_backend(choice);  // which loads the emulator
      const std::string folder = choice.options.cuda_library.substr(0, choice.options.cuda_library.rfind('/') + 1);
      void* library = dlopen((folder + "libgru4rec_emulator.so").c_str(), RTLD_NOW | RTLD_NOLOAD);
      if (library != nullptr) return EmulatedDevice(choice.options, library);
    }
    return std::nullopt;
  }

  const DeviceOptions& options() const { return options_; }
  Gru4recEmulatorCounters counters() const {
    Gru4recEmulatorCounters counters;
    read_counters_(&counters);
    return counters;
  }
  int64_t live_bytes() const { return static_cast<int64_t>(counters().live_bytes); }
  void fail_allocation(uint64_t n) const { fail_allocation_(n); }
  void fail_launch(uint64_t n) const { fail_launch_(n); }
  void mend() const { mend_(); }

 private:
  EmulatedDevice(const DeviceOptions& options, void* library) : options_(options) {
    find_function(library, "gru4rec_emulator_read_counters", read_counters_);
    find_function(library, "gru4rec_emulator_fail_allocation", fail_allocation_);
    find_function(library, "gru4rec_emulator_fail_launch", fail_launch_);
    find_function(library, "gru4rec_emulator_mend", mend_);
  }
  template <class Function>
  static void find_function(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
  }

  DeviceOptions options_;
  decltype(&gru4rec_emulator_read_counters) read_counters_ = nullptr;
  decltype(&gru4rec_emulator_fail_allocation) fail_allocation_ = nullptr;
  decltype(&gru4rec_emulator_fail_launch) fail_launch_ = nullptr;
  decltype(&gru4rec_emulator_mend) mend_ = nullptr;
};

/// The emulated device; skips the case where there is none.
inline const EmulatedDevice& emulated_device() {
  static const std::optional<EmulatedDevice> device = EmulatedDevice::find();
  if (!device) SKIP("no emulated CUDA device is built");
  return *device;
}

}  // namespace gru4rec::test
