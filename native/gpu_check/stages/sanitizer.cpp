#include <algorithm>
#include <cstdlib>

#include "gpu_check/process.h"
#include "gpu_check/stage.h"

/// NVIDIA's compute-sanitizer over the operations at small sizes, in a process that it starts.
namespace gru4rec::gpu_check {

namespace {

/// The exit status that the sanitizer is told to end with when it found something.
constexpr const char* kFound = "86";
constexpr size_t kShown = 2000;  ///< characters of its output, from its end

std::string find_sanitizer(const Options& options) {
  if (!options.sanitizer.empty()) return options.sanitizer;
  std::vector<std::string> folders;
  for (const char* variable : {"CUDA_PATH", "CUDA_HOME"})
    if (const char* toolkit = std::getenv(variable)) folders.push_back(std::string(toolkit) + "/bin");
  folders.push_back("/usr/local/cuda/bin");
  return find_program("compute-sanitizer", folders);
}

bool is_emulated(const Options& options) {
  for (const DeviceDescription& device : list_devices(options.device).devices)
    if (device.name.rfind("Emulated", 0) == 0) return true;
  return false;
}

}  // namespace

void check_sanitizer(const Options& options, Report& report) {
  const std::string tool = find_sanitizer(options);
  if (tool.empty()) return report.skip("not found: compute-sanitizer");
  if (options.sanitizer.empty() && is_emulated(options))
    return report.skip("the device is emulated, and the emulator checks accesses itself");
  report.data["tool"] = tool;
  const char* const kinds[] = {"memcheck", "racecheck"};
  for (size_t i = 0; i < 2; ++i) {
    if (!report.time_for(kinds[i])) continue;
    // Each has its share of the time, and the program inside it ends by itself a little before.
    const double seconds = std::max(1.0, report.left() / static_cast<double>(2 - i));
    std::vector<std::string> command{tool,           "--tool",
                                     kinds[i],       "--error-exitcode",
                                     kFound,         options.program,
                                     "--in-process", "--stage",
                                     "operations",   "--small",
                                     "--device",     options.device.device,
                                     "--library",    options.device.cuda_library,
                                     "--seconds",    std::to_string(0.8 * seconds)};
    if (!options.device.cublas_path.empty()) command.insert(command.end(), {"--cublas", options.device.cublas_path});
    const Clock clock;
    const Ended ended = run_command(command, "", seconds);
    Json& entry = report.data[kinds[i]] = Json::object();
    entry["seconds"] = clock.seconds();
    entry["output"] = tail(ended.output, kShown);
    report.line("%s: %s, %.1f s", kinds[i], ended.status == 0 && !ended.timed_out ? "no errors" : ended.how().c_str(),
                clock.seconds());
    // What it reports of an access or a race, it reports at once.
    const bool found =
        ended.output.find("Invalid ") != std::string::npos || ended.output.find("hazard") != std::string::npos;
    if (ended.timed_out ? found : ended.status != 0)
      report.fail(std::string(kinds[i]) + ": expected status 0, received " + ended.how() + ":\n" +
                  tail(ended.output, kShown));
    else if (ended.timed_out || ended.output.find(name(Verdict::cut_short)) != std::string::npos)
      report.leave_out(std::string(kinds[i]) + " of some cases");
  }
}

}  // namespace gru4rec::gpu_check
