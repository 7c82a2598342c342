#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "gpu_check/apart.h"
#include "gpu_check/clicks.h"
#include "gpu_check/process.h"
#include "gpu_check/sanitizer_output.h"
#include "test/check.h"

/// The parts of gpu_check that need no device: what becomes of a stage that ends in this way or that, what it reads of
/// other programs' output, and files.
namespace gru4rec::test {

namespace {

using namespace gpu_check;

constexpr double kSeconds = 60.0;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void sleep_for(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

/// A file of clicks whose sessions have these ids, two events each time that one is named.
std::string write_log(const TemporaryFolder& folder, const std::vector<std::string>& sessions) {
  const std::string path = folder.path() + "/clicks.tsv";
  std::ofstream file(path);
  file << "SessionId\tItemId\tTime\n";
  for (const std::string& session : sessions)
    for (int item = 0; item < 2; ++item) file << session << '\t' << item << "\t0\n";
  return path;
}

}  // namespace

TEST_CASE("stages apart: verdict, checks and figures come from the other process") {
  const Result passed = run_apart(
      [](Report& report) {
        report.data["answer"] = 42;
        report.expect(true, "");
        report.count(2);
        report.note("one \"thing\"\n and \1 another");
      },
      kSeconds, 1.0);
  CHECK(passed.verdict == Verdict::passed);
  CHECK_EQUAL(int64_t{3}, passed.checks);
  CHECK(contains(passed.json.text(), "\"answer\": 42"));
  CHECK(contains(passed.json.text(), "one \\\"thing\\\"\\n and \\u0001 another"));

  const Result failed = run_apart([](Report& report) { report.expect(false, "one is not two"); }, kSeconds, 1.0);
  CHECK(failed.verdict == Verdict::failed);
  CHECK(contains(failed.json.text(), "\"one is not two\""));

  const Result thrown = run_apart([](Report&) { throw std::runtime_error("no such thing"); }, kSeconds, 1.0);
  CHECK(thrown.verdict == Verdict::failed);
  CHECK(contains(thrown.json.text(), "expected no exception, received no such thing"));
}

TEST_CASE("stages apart: one that checked nothing has not passed") {
  for (const auto run : {+[](const Work& work) { return run_here(work, kSeconds); },
                         +[](const Work& work) { return run_apart(work, kSeconds, 1.0); }}) {
    CHECK(run([](Report&) {}).verdict == Verdict::failed);
    CHECK(run([](Report& report) { report.skip("not here"); }).verdict == Verdict::skipped);
    CHECK(run([](Report& report) { report.leave_out("all"); }).verdict == Verdict::cut_short);
    CHECK(run([](Report& report) { report.count(1); }).verdict == Verdict::passed);
  }
}

TEST_CASE("stages apart: one that does not end is cut short, with what it had found") {
  const auto slow = [](bool wrong) {
    return [wrong](Report& report) {
      if (report.time_for("the first")) report.expect(!wrong, "the first is wrong");
      report.data["first"] = 1;
      if (report.time_for("the second")) sleep_for(100.0);
    };
  };
  const Result cut = run_apart(slow(false), 1.0, 0.1);
  CHECK(cut.verdict == Verdict::cut_short);
  CHECK_EQUAL(int64_t{1}, cut.checks);
  CHECK(contains(cut.json.text(), "\"the second, which had not ended\""));
  CHECK(contains(cut.json.text(), "\"first\": 1"));

  const Result failed = run_apart(slow(true), 1.0, 0.1);
  CHECK(failed.verdict == Verdict::failed);
  CHECK(contains(failed.json.text(), "\"the first is wrong\""));
  CHECK(contains(failed.json.text(), "\"the second, which had not ended\""));

  // One that has no time at all.
  const Result none = run_apart([](Report& report) { report.count(1); }, 0.0, 1.0);
  CHECK(none.verdict == Verdict::cut_short);
  CHECK_EQUAL(int64_t{0}, none.checks);
}

TEST_CASE("stages apart: one that dies has failed, with what it had found") {
  const Result died = run_apart(
      [](Report& report) {
        report.count(1);
        report.data["first"] = 1;
        report.line("one down");
        std::abort();
      },
      kSeconds, 1.0);
  CHECK(died.verdict == Verdict::failed);
  CHECK_EQUAL(int64_t{1}, died.checks);
  CHECK(contains(died.json.text(), "expected the stage to end with a result, received signal 6"));
  CHECK(contains(died.json.text(), "\"first\": 1"));

  // Its work has ended, its process does not.
  const auto hang = [] { sleep_for(100.0); };
  const Result hung = run_apart(
      [hang](Report& report) {
        report.count(1);
        report.data["first"] = 1;
        std::atexit(+hang);
      },
      0.5, 0.5);
  CHECK(hung.verdict == Verdict::failed);
  CHECK(contains(hung.json.text(), "received no end within its time"));
  CHECK(contains(hung.json.text(), "\"first\": 1"));
}

TEST_CASE("compute-sanitizer's output is read as numbers") {
  const SanitizerOutput memcheck = read_sanitizer_output(
      "========= COMPUTE-SANITIZER\noperations: every operation\n========= ERROR SUMMARY: 0 errors\n");
  CHECK(memcheck.summary);
  CHECK_EQUAL(int64_t{0}, memcheck.errors);
  CHECK_EQUAL(int64_t{0}, memcheck.reported);

  const SanitizerOutput invalid = read_sanitizer_output(
      "========= Invalid __global__ write of size 4 bytes\n=========     at kernel(float *)+0x80\n"
      "========= ERROR SUMMARY: 12 errors\n");
  CHECK_EQUAL(int64_t{12}, invalid.errors);
  CHECK_EQUAL(int64_t{1}, invalid.reported);

  const SanitizerOutput clean =
      read_sanitizer_output("========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)\n");
  CHECK(clean.summary);
  CHECK_EQUAL(int64_t{0}, clean.hazards);
  CHECK_EQUAL(int64_t{0}, clean.errors);

  const SanitizerOutput races = read_sanitizer_output(
      "========= Error: Race reported between Write access at 0x90 and Read access at 0xa0\n"
      "========= Warning: Race reported between Write access at 0x90 and Read access at 0xb0\n"
      "========= RACECHECK SUMMARY: 3 hazards displayed (2 errors, 1 warning)\n"
      "========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)\n");
  CHECK_EQUAL(int64_t{4}, races.hazards);
  CHECK_EQUAL(int64_t{3}, races.errors);
  CHECK_EQUAL(int64_t{1}, races.warnings);
  CHECK_EQUAL(int64_t{1}, races.reported);

  CHECK(!read_sanitizer_output("").summary);
  CHECK(!read_sanitizer_output("hazard Invalid ERROR SUMMARY: no errors\n").summary);
}

TEST_CASE("results name files without their folders") {
  CHECK_EQUAL(std::string("\"library\": \"libgru4rec_cuda.so\""),
              without_folders("\"library\": \"/home/me/build/libgru4rec_cuda.so\""));
  CHECK_EQUAL(std::string("\"a.tsv is at /\""), without_folders("\"/data/a.tsv is at /\""));
  CHECK_EQUAL(std::string("read\\na.tsv, (b.so)"), without_folders("read\\n/x/y/a.tsv, (/x/b.so)"));
  const std::string kept = "\"mini-batches/s, 1 / rank, https://a.b/c/d, SM/GPU, x /y\"";
  CHECK_EQUAL(kept, without_folders(kept));
}

TEST_CASE("click logs: the name is the file's, and a session that comes back is refused") {
  const TemporaryFolder folder;
  std::vector<std::string> sessions;
  for (int s = 0; s < 20; ++s) sessions.push_back("s" + std::to_string(s));
  const Log log = read_log(write_log(folder, sessions), 1000);
  CHECK_EQUAL(std::string("clicks.tsv"), log.name);
  CHECK_EQUAL(int64_t{18}, log.train.count());
  CHECK_EQUAL(int64_t{2}, log.test.count());

  sessions.push_back("s3");
  const std::string message = CHECK_THROWS(std::runtime_error, read_log(write_log(folder, sessions), 1000));
  CHECK(contains(message, "Expected no more events of session s3 in line 42 of "));
}

}  // namespace gru4rec::test
