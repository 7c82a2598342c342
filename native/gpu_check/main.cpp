/// Everything that only a GPU can show, on the GPU that is here, in at most eight minutes: `gpu_check --help`.
///
/// Each stage runs in a process of its own: one that crashes, hangs or breaks the device hides nothing of the others.
/// Exit status: 0 no stage failed, 1 a stage failed, 2 wrong usage, 3 nothing was checked.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <fstream>

#include "gpu_check/apart.h"
#include "gpu_check/process.h"
#include "gpu_check/stage.h"

namespace gru4rec::gpu_check {
namespace {

/// Of --seconds, what a stage has to end by itself after its time was over: a tenth, at most ten seconds.
double grace_of(const Options& options) {
  constexpr double kShare = 0.1, kMost = 10.0;
  return options.in_process ? 0.0 : std::min(kMost, kShare * options.seconds);
}

std::vector<const Stage*> wanted_stages(const Options& options) {
  std::vector<const Stage*> wanted;
  for (const Stage& stage : all_stages())
    if (options.stages.empty() ||
        std::find(options.stages.begin(), options.stages.end(), stage.name) != options.stages.end())
      wanted.push_back(&stage);
  return wanted;
}

/// Whether the device is emulated, asked in a process of its own: no child may find a device that is open already.
bool ask_emulated(const Options& options) {
  if (options.in_process) return is_emulated(options.device);
  constexpr double kSeconds = 60.0;
  const auto answer = [](int pipe, const void* device) {
    const char yes = '1';
    if (is_emulated(*static_cast<const DeviceOptions*>(device)) && write(pipe, &yes, 1) != 1) std::exit(1);
  };
  return run_child(answer, &options.device, kSeconds).output == "1";
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&seconds));
  return text;
}

int run(const Options& options) {
  const Clock clock;
  const double grace = grace_of(options);
  Json stages = Json::object();
  std::vector<std::string> summary;
  bool failed = false;
  int64_t checks = 0;
  const bool emulated = ask_emulated(options);
  const std::vector<const Stage*> wanted = wanted_stages(options);
  double shares = 0.0;  // of the stages from here on
  for (const Stage* stage : wanted) shares += stage->share;
  for (const Stage* stage : wanted) {
    std::printf("%s: %s\n", stage->name, stage->what);
    const Clock of_stage;
    // A stage that begins when all time is over finds none left, and says what it left out.
    const double seconds = std::max(0.0, options.seconds - clock.seconds() - grace) * stage->share / shares;
    shares -= stage->share;
    const Work work = [&](Report& report) { stage->run(options, report); };
    const Result result = options.in_process ? run_here(work, seconds) : run_apart(work, seconds, grace);
    char line[96];
    std::snprintf(line, sizeof line, "%-12s %-9s %6.1f s %8lld checks", stage->name, name(result.verdict),
                  of_stage.seconds(), static_cast<long long>(result.checks));
    std::printf("  %s\n", name(result.verdict));
    summary.push_back(line);
    stages[stage->name] = result.json;
    failed = failed || result.verdict == Verdict::failed;
    checks += result.checks;
  }
  std::printf("\n");
  for (const std::string& line : summary) std::printf("%s\n", line.c_str());
  if (emulated) std::printf("The device is emulated: this says nothing of a GPU.\n");
  Json result = Json::object();
  result["program"] = "gpu_check";
  result["date"] = now();
  result["device"] = options.device.device;
  result["emulated"] = emulated;
  result["small"] = options.small;
  result["seconds"] = clock.seconds();
  result["stages"] = stages;
  if (!options.out.empty()) {
    std::ofstream file(options.out);
    file << without_folders(result.text()) << "\n";
    file.close();
    if (!file) {
      std::fprintf(stderr, "Expected to write %s but could not\n", options.out.c_str());
      return 1;
    }
    std::printf("%s\n", options.out.c_str());
  }
  if (failed) return 1;
  if (checks > 0) return 0;
  std::fprintf(stderr, "Expected something to be checked, but every stage was skipped or had no time\n");
  return kNothingChecked;
}

}  // namespace
}  // namespace gru4rec::gpu_check

int main(int argc, char** argv) {
  using namespace gru4rec::gpu_check;
  try {
    const Options options = parse_options(argc, argv);
    if (options.help) {
      std::printf("%s", usage().c_str());
      return 0;
    }
    return run(options);
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s\n\n%s", error.what(), usage().c_str());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
