#include "gpu_check/apart.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "gpu_check/process.h"

namespace gru4rec::gpu_check {

namespace {

struct Task {
  const Work& work;
  double seconds;
};

/// Runs the work, tells `listener` what it has found so far, and returns all.
Report run_work(const Task& task, const std::function<void(const Report&)>& listener) {
  Report report(task.seconds);
  report.on_change(listener);
  try {
    if (report.time_for("everything")) task.work(report);
  } catch (const std::exception& error) {
    report.fail(std::string("expected no exception, received ") + error.what());
  }
  if (report.verdict() == Verdict::passed && report.checks() == 0)
    report.fail("expected something to be checked, received nothing");
  return report;
}

Result result_of(const Report& report) { return {report.verdict(), report.checks(), report.json()}; }

/// What a stage sends: this behind what it found so far, and behind all that it found.
constexpr char kSoFar = '\1', kAll = '\2';

void send(int pipe, const Report& report, char end) {
  const Result result = result_of(report);
  const std::string text = std::to_string(static_cast<int>(result.verdict)) + " " + std::to_string(result.checks) +
                           "\n" + result.json.text(2) + end;
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t count = write(pipe, text.data() + sent, text.size() - sent);
    if (count <= 0) return;
    sent += static_cast<size_t>(count);
  }
}

void run_and_send(int pipe, const void* argument) {
  const auto& task = *static_cast<const Task*>(argument);
  send(pipe, run_work(task, [pipe](const Report& report) { send(pipe, report.cut_now(), kSoFar); }), kAll);
}

/// The last whole message.
struct Sent {
  bool any = false, all = false;
  Result result;
};

Sent last_sent(const std::string& output) {
  Sent sent;
  const size_t end = output.find_last_of(std::string{kSoFar, kAll});
  if (end == std::string::npos) return sent;
  const size_t before = output.find_last_of(std::string{kSoFar, kAll}, end == 0 ? 0 : end - 1);
  const size_t first = before == std::string::npos || before == end ? 0 : before + 1;
  const std::string message = output.substr(first, end - first);
  char* rest = nullptr;
  sent.any = true;
  sent.all = output[end] == kAll;
  sent.result.verdict = static_cast<Verdict>(std::strtol(message.c_str(), &rest, 10));
  sent.result.checks = std::strtoll(rest, &rest, 10);
  sent.result.json = Json::raw(message.substr(static_cast<size_t>(rest - message.c_str()) + 1));
  return sent;
}

}  // namespace

Result run_here(const Work& work, double seconds) { return result_of(run_work({work, seconds}, nullptr)); }

Result run_apart(const Work& work, double seconds, double grace) {
  const Task task{work, seconds};
  const Ended ended = run_child(run_and_send, &task, seconds + grace);
  const Sent sent = last_sent(ended.output);
  if (sent.all && ended.status == 0 && !ended.timed_out) return sent.result;
  if (sent.any && !sent.all && ended.timed_out) {
    std::printf("  ended by force, as its time was over\n");
    return sent.result;
  }
  // It died, or its process did not end though its work had.
  Report report(seconds);
  report.count(sent.result.checks);
  report.fail("expected the stage to end with a result, received " + ended.how());
  report.data["result"] = sent.result.json;
  return result_of(report);
}

}  // namespace gru4rec::gpu_check
