/// Everything that only a GPU can show, on the GPU that is here, in at most eight minutes: `gpu_check --help`.
///
/// Each stage runs in a process of its own: one that crashes, hangs or breaks the device hides nothing of the others.
/// Exit status: 0 no stage failed, 1 a stage failed, 2 wrong usage.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>

#include "gpu_check/process.h"
#include "gpu_check/stage.h"

namespace gru4rec::gpu_check {
namespace {

/// Seconds that a stage has to end by itself after its time is over.
constexpr double kGrace = 10.0;

struct Task {
  const Stage* stage;
  const Options* options;
  double seconds;
};

Report run_stage(const Task& task) {
  Report report(task.seconds);
  try {
    if (report.time_for("everything")) task.stage->run(*task.options, report);
  } catch (const std::exception& error) {
    report.fail(std::string("expected no exception, received ") + error.what());
  }
  return report;
}

/// What a stage sends from its process: a line with its verdict, then its JSON.
void run_and_send(int pipe, const void* argument) {
  const Report report = run_stage(*static_cast<const Task*>(argument));
  const std::string text = std::string(name(report.verdict())) + "\n" + report.json().text(2);
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t count = write(pipe, text.data() + sent, text.size() - sent);
    if (count <= 0) return;
    sent += static_cast<size_t>(count);
  }
}

struct Outcome {
  std::string verdict;
  Json json;
};

Outcome run_apart(const Task& task) {
  const Ended ended = run_child(run_and_send, &task, task.seconds + kGrace);
  const size_t end = ended.output.find('\n');
  const Json sent = end == std::string::npos ? Json() : Json::raw(ended.output.substr(end + 1));
  if (ended.status == 0 && !ended.timed_out && end != std::string::npos) return {ended.output.substr(0, end), sent};
  Report report(task.seconds);
  report.fail("expected the stage to end with a result, received " + ended.how());
  if (!ended.timed_out) report.data["result"] = sent;  // it was whole, and ending the process failed
  return {name(report.verdict()), report.json()};
}

Outcome run_here(const Task& task) {
  const Report report = run_stage(task);
  return {name(report.verdict()), report.json()};
}

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&seconds));
  return text;
}

int run(const Options& options) {
  const Clock clock;
  Json stages = Json::object();
  std::vector<std::string> summary;
  bool failed = false;
  for (const Stage& stage : all_stages()) {
    if (!options.stages.empty() &&
        std::find(options.stages.begin(), options.stages.end(), stage.name) == options.stages.end())
      continue;
    std::printf("%s: %s\n", stage.name, stage.what);
    const Clock of_stage;
    // A stage that begins when all time is over finds none left, and says what it left out.
    const Task task{&stage, &options,
                    std::max(0.0, std::min(stage.seconds, options.seconds - clock.seconds() - kGrace))};
    const Outcome outcome = options.in_process ? run_here(task) : run_apart(task);
    char line[96];
    std::snprintf(line, sizeof line, "%-12s %-9s %6.1f s", stage.name, outcome.verdict.c_str(), of_stage.seconds());
    std::printf("  %s\n", outcome.verdict.c_str());
    summary.push_back(line);
    stages[stage.name] = outcome.json;
    failed = failed || outcome.verdict == name(Verdict::failed);
  }
  std::printf("\n");
  for (const std::string& line : summary) std::printf("%s\n", line.c_str());
  Json result = Json::object();
  result["program"] = "gpu_check";
  result["date"] = now();
  result["device"] = options.device.device;
  result["small"] = options.small;
  result["seconds"] = clock.seconds();
  result["stages"] = stages;
  if (!options.out.empty()) {
    std::ofstream file(options.out);
    file << result.text() << "\n";
    file.close();
    if (!file) {
      std::fprintf(stderr, "Expected to write %s but could not\n", options.out.c_str());
      return 1;
    }
    std::printf("%s\n", options.out.c_str());
  }
  return failed ? 1 : 0;
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
