#include <algorithm>
#include <cstdlib>

#include "gpu_check/process.h"
#include "gpu_check/sanitizer_output.h"
#include "gpu_check/stage.h"

/// NVIDIA's compute-sanitizer over the operations at small sizes, in a process that it starts.
namespace gru4rec::gpu_check {

namespace {

/// The exit status that the sanitizer is told to end with when it found something.
constexpr const char* kFound = "86";
/// Of the time of the tool, what the program inside it may take.
constexpr double kInside = 0.8;
constexpr size_t kShown = 2000;  ///< characters of its output, from its end

std::string find_sanitizer(const Options& options) {
  if (!options.sanitizer.empty()) return options.sanitizer;
  std::vector<std::string> folders;
  for (const char* variable : {"CUDA_PATH", "CUDA_HOME"})
    if (const char* toolkit = std::getenv(variable)) folders.push_back(std::string(toolkit) + "/bin");
  folders.push_back("/usr/local/cuda/bin");
  return find_program("compute-sanitizer", folders);
}

/// What was expected of a run and what was received instead; empty = nothing is wrong with it.
std::string problem_of(const Ended& ended, const SanitizerOutput& found) {
  if (found.errors > 0) return "no errors, received " + std::to_string(found.errors);
  // One that has not ended has not summed up, but told what it found at once.
  if (ended.timed_out)
    return found.reported > 0 ? "no errors, received " + std::to_string(found.reported) + " and no end" : "";
  if (ended.status != 0 && ended.status != kNothingChecked) return "status 0, received " + ended.how();
  return found.summary ? "" : "a summary of errors, received none";
}

}  // namespace

void check_sanitizer(const Options& options, Report& report) {
  const std::string tool = find_sanitizer(options);
  if (tool.empty()) return report.skip("not found: compute-sanitizer");
  if (options.sanitizer.empty() && is_emulated(options.device))
    return report.skip("the device is emulated, and the emulator checks accesses itself");
  report.data["tool"] = tool;
  const char* const kinds[] = {"memcheck", "racecheck"};
  for (size_t i = 0; i < 2; ++i) {
    if (!report.time_for(kinds[i])) continue;
    // Each has its share of the time, and the program inside it ends by itself a little before.
    const double seconds = report.left() / static_cast<double>(2 - i), inside = kInside * seconds;
    if (inside < kLeastSeconds) {
      report.leave_out(kinds[i]);
      continue;
    }
    std::vector<std::string> command{tool,           "--tool",
                                     kinds[i],       "--error-exitcode",
                                     kFound,         options.program,
                                     "--in-process", "--stage",
                                     "operations",   "--small",
                                     "--device",     options.device.device,
                                     "--library",    options.device.cuda_library,
                                     "--seconds",    std::to_string(inside)};
    if (!options.device.cublas_path.empty()) command.insert(command.end(), {"--cublas", options.device.cublas_path});
    const Clock clock;
    const Ended ended = run_command(command, "", seconds);
    Json& entry = report.data[kinds[i]] = Json::object();
    entry["seconds"] = clock.seconds();
    entry["output"] = tail(ended.output, kShown);
    const SanitizerOutput found = read_sanitizer_output(ended.output);
    entry["errors"] = found.errors;
    entry["hazards"] = found.hazards;
    entry["warnings"] = found.warnings;
    report.line("%s: %s, %lld errors, %lld warnings, %.1f s", kinds[i], ended.how().c_str(),
                static_cast<long long>(found.errors), static_cast<long long>(found.warnings), clock.seconds());
    const std::string problem = problem_of(ended, found);
    if (!problem.empty()) {
      report.fail(std::string(kinds[i]) + ": expected " + problem + ":\n" + tail(ended.output, kShown));
      continue;
    }
    // Status 3: there was not even time for one case.
    if (!ended.timed_out && ended.status == 0) report.count(1);
    if (found.warnings > 0) report.note(std::string(kinds[i]) + ": " + std::to_string(found.warnings) + " warnings");
    if (ended.timed_out || ended.status == kNothingChecked ||
        ended.output.find(name(Verdict::cut_short)) != std::string::npos)
      report.leave_out(std::string(kinds[i]) + " of some cases");
  }
}

}  // namespace gru4rec::gpu_check
