#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "backend/registry.h"

namespace gru4rec::gpu_check {

/// Wrong arguments; the message says what was expected and what was received.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Options {
  std::string program;              ///< path of this program
  DeviceOptions device;             ///< the device to check
  std::string out;                  ///< where the JSON goes; empty = nowhere
  std::vector<std::string> stages;  ///< names; empty = all
  std::string data;                 ///< a click log besides the generated one; empty = none
  std::string roofline;             ///< file of floors; empty = none
  std::string peer;                 ///< folder of the author's PyTorch version; empty = none
  std::string python = "python3";
  std::string sanitizer;    ///< compute-sanitizer; empty = look for it
  double seconds = 480.0;   ///< of the whole run, at most
  bool small = false;       ///< sizes for the emulator
  bool in_process = false;  ///< stages are run in this process, so that a debugger or a sanitizer sees them
  bool help = false;
};

/// Exit status of a run that checked nothing.
constexpr int kNothingChecked = 3;
/// The least that --seconds takes.
constexpr double kLeastSeconds = 5.0;

/// What --help prints.
std::string usage();
/// Throws UsageError.
Options parse_options(int argc, char** argv);
/// The CPU, to compare with.
DeviceOptions cpu_device();
/// Whether the device is the emulator's. Opens the library.
bool is_emulated(const DeviceOptions& device);

}  // namespace gru4rec::gpu_check
