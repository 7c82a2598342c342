#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "gpu_check/json.h"
#include "gpu_check/process.h"
#include "test/check.h"

/// gpu_check as a program, on the emulated GPU: that it runs to its end with every verdict, that a stage that fails
/// hides nothing, and what it says of wrong arguments.
namespace gru4rec::test {

namespace {

using gpu_check::Ended;
using gpu_check::Json;
using gpu_check::TemporaryFolder;

constexpr double kSeconds = 300.0;

/// gpu_check without a library that is named.
Ended bare_gpu_check_with(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}) {
  std::vector<std::string> command{"env", "-u", "GRU4REC_CUDA_LIBRARY"};
  command.insert(command.end(), environment.begin(), environment.end());
  command.push_back(GPU_CHECK);
  command.insert(command.end(), arguments.begin(), arguments.end());
  const Ended ended = gpu_check::run_command(command, "", kSeconds);
  if (ended.timed_out) fail("", 0, "expected gpu_check to end, received " + ended.output);
  return ended;
}

Ended gpu_check_with(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
  const char* const library[] = {"--library", GRU4REC_EMULATED_CUDA, "--cublas", GRU4REC_EMULATED_CUBLAS};
  arguments.insert(arguments.begin(), std::begin(library), std::end(library));
  return bare_gpu_check_with(arguments, environment);
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The verdict of a stage in the file.
std::string verdict_of(const std::string& json, const std::string& stage) {
  const std::string begin = "\n    \"" + stage + "\": {\n      \"verdict\": \"";
  const size_t place = json.find(begin);
  if (place == std::string::npos) return "none";
  const size_t first = place + begin.size();
  return json.substr(first, json.find('"', first) - first);
}

/// A program that prints `output` and its arguments and ends with `status`.
std::string write_script(const TemporaryFolder& folder, const std::string& name, const std::string& output,
                         int status) {
  const std::string path = folder.path() + "/" + name;
  write_file(path, "#!/bin/sh\necho \"$@\"\ncat <<'end'\n" + output + "\nend\nexit " + std::to_string(status) + "\n");
  chmod(path.c_str(), 0755);
  return path;
}

/// What the PyTorch version prints of its epochs and measurements.
constexpr const char* kPeerOutput =
    "Epoch1 --> loss: 8.484378 \t(27.81s) \t[1104.46 mb/s | 35321 e/s]\n"
    "Recall@20: 0.534523 MRR@20: 0.209864\n";

/// What compute-sanitizer prints of a run without errors, of either tool.
constexpr const char* kClean =
    "========= ERROR SUMMARY: 0 errors\n"
    "========= RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)";

}  // namespace

TEST_CASE("json: members in their order, escapes, and no numbers that JSON has not") {
  Json json = Json::object();
  json["b"] = 1.5;
  json["a"] = Json::array();
  json["a"].push("say \"no\"\n\\ \x01");
  json["a"].push(true);
  json["a"].push(0.0 / 0.0);
  json["b"] = int64_t{7};
  json["none"] = Json::object();
  CHECK_EQUAL(
      std::string("{\n  \"b\": 7,\n  \"a\": [\n    \"say \\\"no\\\"\\n\\\\ \\u0001\",\n    true,\n    null\n  ],\n"
                  "  \"none\": {}\n}"),
      json.text());
}

TEST_CASE("processes: how they end") {
  CHECK_EQUAL(3, gpu_check::run_command({"sh", "-c", "exit 3"}, "", kSeconds).status);
  CHECK_EQUAL(std::string("signal 9"), gpu_check::run_command({"sh", "-c", "kill -9 $$"}, "", kSeconds).how());
  CHECK_EQUAL(std::string("no end within its time"),
              gpu_check::run_command({"sh", "-c", "sleep 100 & sleep 100"}, "", 0.2).how());
  CHECK_EQUAL(127, gpu_check::run_command({"/nowhere/program"}, "", kSeconds).status);
  CHECK_EQUAL(std::string("/\n"), gpu_check::run_command({"pwd"}, "/", kSeconds).output);
  CHECK_EQUAL(std::string("three"), gpu_check::tail("one\ntwo\nthree\n", 7));
}

TEST_CASE("gpu_check: wrong arguments are told with what was expected, and status 2") {
  const std::pair<std::vector<std::string>, const char*> wrong[] = {
      {{"--fast"}, "Expected an option but received --fast"},
      {{"--out"}, "Expected a value behind --out but received none"},
      {{"--stage", "speed,sped"}, "Expected --stage to name stages from environment, operations, "},
      {{"--stage", ","}, "but received "},
      {{"--seconds", "-1"}, "Expected --seconds to be a number from 5 to 86400 but received -1"},
      {{"--seconds", "4.9"}, "Expected --seconds to be a number from 5 to 86400 but received 4.9"},
      {{"--seconds", "5m"}, "but received 5m"},
      {{"--device", "cpu"}, "Expected --device to be cuda or cuda:N but received cpu"},
      {{"--data", "/nowhere/clicks.tsv"}, "Expected --data to name what can be read but received /nowhere/clicks.tsv"},
      {{"--peer-pytorch", "/nowhere"}, "Expected --peer-pytorch to name what can be read but received /nowhere"},
  };
  for (const auto& [arguments, message] : wrong) {
    const Context context(arguments.back());
    const Ended ended = gpu_check_with(arguments);
    CHECK_EQUAL(2, ended.status);
    CHECK(contains(ended.output, message));
    CHECK(contains(ended.output, "gpu_check [options]"));
  }
  CHECK_EQUAL(0, bare_gpu_check_with({"--help"}).status);
}

TEST_CASE("gpu_check: the emulated GPU takes the place of a missing library with --small only, and is named") {
  if (access((std::filesystem::path(GPU_CHECK).parent_path() / "libgru4rec_cuda.so").c_str(), R_OK) == 0)
    SKIP("a library beside the program would be taken");
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/result.json";
  const Ended full = bare_gpu_check_with({"--out", out, "--stage", "environment"});
  CHECK_EQUAL(2, full.status);
  CHECK(contains(full.output, "Expected --library or GRU4REC_CUDA_LIBRARY to name libgru4rec_cuda.so"));
  CHECK_EQUAL(0, bare_gpu_check_with({"--small", "--out", out, "--stage", "environment"}).status);
  CHECK_EQUAL(std::string("passed"), verdict_of(read_file(out), "environment"));
  CHECK(contains(read_file(out), "\n  \"emulated\": true,"));
}

TEST_CASE("gpu_check: every stage runs to its end on the emulated GPU") {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/result.json", clicks = folder.path() + "/clicks.tsv";
  std::string log = "ItemId\tSessionId\tTime\n";
  for (int event = 0; event < 300; ++event)
    log += std::to_string(event * event % 23) + "\t" + std::to_string(event / 4) + "\t" + std::to_string(event) + "\n";
  write_file(clicks, log);
  write_file(folder.path() + "/floors.json", R"({"bench-100-32": 12.5, "another": 1})");
  write_file(folder.path() + "/run.py", std::string("echo \"$@\"\ncat <<'end'\n") + kPeerOutput + "end\n");
  const Ended ended = gpu_check_with({"--small", "--out", out, "--data", clicks, "--roofline",
                                      folder.path() + "/floors.json", "--peer-pytorch", folder.path(), "--python", "sh",
                                      "--sanitizer", write_script(folder, "sanitizer", kClean, 0)});
  CHECK_EQUAL(0, ended.status);
  if (ended.status != 0) fail("", 0, ended.output);
  const std::string json = read_file(out);
  for (const char* stage :
       {"environment", "operations", "parity", "bits", "precision", "errors", "speed", "peer", "sanitizer"})
    CHECK_EQUAL(std::string("passed"), verdict_of(json, stage));
  CHECK(contains(json, "\"roofline_us\": 12.5,"));
  CHECK(contains(json, "\"roofline_us\": null,"));
  // Of a step of bpr-max, not of cross-entropy; and all of a step.
  CHECK(contains(json, "\"name\": \"loss_gradient, bpr-max\""));
  CHECK(contains(json, "\"name\": \"begin_step\""));
  CHECK(contains(json, "\"steps_of_the_other_work\": "));
  CHECK(contains(json, "\"cublas_ms\": "));
  CHECK(!contains(json, "\"cublas_ms\": null"));
  CHECK(contains(json, "\"batch\": 20,\n"));
  CHECK(contains(json, "\"peer_mini_batches_per_second\": 1104.46,"));
  CHECK(contains(json, "\"peer_epoch_seconds\": 27.81,"));
  CHECK(contains(json, "\"peer_recall_20\": 0.534523,"));
  CHECK(contains(json, "\"peer_mrr_20\": 0.209864,"));
  CHECK(contains(json, "\"a whole epoch: clicks.tsv\""));
  CHECK(!contains(json, folder.path()));
  CHECK(!contains(json, std::filesystem::path(GPU_CHECK).parent_path().string()));
  CHECK(contains(json, "--tool racecheck --error-exitcode"));
}

TEST_CASE("gpu_check: a device that fails, fails its stage and no other one") {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/result.json";
  const std::vector<std::string> arguments{"--small", "--out", out, "--stage", "bits,errors,peer"};
  const Ended broken = gpu_check_with(arguments, {"GRU4REC_EMULATOR_FAIL_LAUNCH=2000"});
  CHECK_EQUAL(1, broken.status);
  CHECK_EQUAL(std::string("failed"), verdict_of(read_file(out), "bits"));
  CHECK_EQUAL(std::string("passed"), verdict_of(read_file(out), "errors"));
  CHECK_EQUAL(std::string("skipped"), verdict_of(read_file(out), "peer"));
}

TEST_CASE("gpu_check: a stage whose process dies has failed, and the next one runs") {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/result.json";
  // The emulator ends a process that gives it an option that it does not know.
  const Ended ended =
      gpu_check_with({"--small", "--out", out, "--stage", "bits,sanitizer"}, {"GRU4REC_EMULATOR_SCHEDULE=none"});
  CHECK_EQUAL(1, ended.status);
  CHECK(contains(read_file(out), "expected the stage to end with a result, received status "));
  CHECK_EQUAL(std::string("skipped"), verdict_of(read_file(out), "sanitizer"));
}

TEST_CASE("gpu_check: no GPU, no files and tools that fail are failures with their reasons") {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/result.json";
  const Ended none =
      gpu_check_with({"--small", "--out", out, "--stage", "environment"}, {"GRU4REC_EMULATOR_DEVICES=0"});
  CHECK_EQUAL(1, none.status);
  CHECK_EQUAL(std::string("failed"), verdict_of(read_file(out), "environment"));

  write_file(folder.path() + "/run.py", "echo no module named torch\nexit 1\n");
  const Ended tools =
      gpu_check_with({"--small", "--out", out, "--stage", "peer,sanitizer", "--peer-pytorch", folder.path(), "--python",
                      "sh", "--sanitizer", write_script(folder, "sanitizer", "Invalid __global__ read", 86)});
  CHECK_EQUAL(1, tools.status);
  const std::string json = read_file(out);
  CHECK_EQUAL(std::string("failed"), verdict_of(json, "peer"));
  CHECK(contains(json, "received status 1:\\nno module named torch"));
  CHECK_EQUAL(std::string("failed"), verdict_of(json, "sanitizer"));
  CHECK(contains(json, "memcheck: expected status 0, received status 86:\\n"));
  CHECK(contains(json, "Invalid __global__ read"));
  CHECK_EQUAL(1, gpu_check_with({"--stage", "peer", "--out", folder.path() + "/none/result.json"}).status);

  // A sanitizer that finds nothing and does not end has shown nothing.
  const std::string slow = folder.path() + "/slow";
  write_file(slow, "#!/bin/sh\nsleep 100\n");
  chmod(slow.c_str(), 0755);
  CHECK_EQUAL(3, gpu_check_with({"--out", out, "--stage", "sanitizer", "--sanitizer", slow, "--seconds", "5"}).status);
  CHECK_EQUAL(std::string("cut short"), verdict_of(read_file(out), "sanitizer"));
}

TEST_CASE("gpu_check: the sanitizer's numbers decide beside its status") {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/result.json";
  const auto verdict = [&](const std::string& output, int status) {
    gpu_check_with(
        {"--out", out, "--stage", "sanitizer", "--sanitizer", write_script(folder, "sanitizer", output, status)});
    return verdict_of(read_file(out), "sanitizer");
  };
  CHECK_EQUAL(std::string("passed"), verdict(kClean, 0));
  CHECK_EQUAL(std::string("failed"), verdict("========= ERROR SUMMARY: 2 errors", 0));
  CHECK_EQUAL(std::string("failed"), verdict("a program that is no sanitizer", 0));
  CHECK_EQUAL(std::string("failed"), verdict(kClean, 1));
  CHECK_EQUAL(std::string("cut short"), verdict(std::string(kClean) + "\noperations cut short", 0));
}

TEST_CASE("gpu_check: the peer that has no time is cut short, and a run that checks nothing says so") {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/result.json";
  write_file(folder.path() + "/run.py", "sleep 100\n");
  const Ended ended = gpu_check_with({"--small", "--out", out, "--stage", "peer", "--seconds", "5", "--peer-pytorch",
                                      folder.path(), "--python", "sh"});
  CHECK_EQUAL(3, ended.status);
  CHECK(contains(ended.output, "Expected something to be checked, but every stage was skipped or had no time"));
  CHECK_EQUAL(std::string("cut short"), verdict_of(read_file(out), "peer"));
  CHECK_EQUAL(3, gpu_check_with({"--small", "--stage", "peer"}).status);

  write_file(folder.path() + "/run.py", "echo \"ModuleNotFoundError: No module named 'torch'\"\nexit 1\n");
  gpu_check_with({"--small", "--out", out, "--stage", "peer", "--peer-pytorch", folder.path(), "--python", "sh"});
  CHECK_EQUAL(std::string("skipped"), verdict_of(read_file(out), "peer"));
  CHECK(contains(read_file(out), "\"reason\": \"sh has no torch\""));
}

TEST_CASE("gpu_check: a peer that prints no accuracy has none") {
  const TemporaryFolder folder;
  write_file(folder.path() + "/run.py", "echo '[1104.46 mb/s]'\n");
  const Ended ended = gpu_check_with({"--small", "--stage", "peer", "--peer-pytorch", folder.path(), "--python", "sh"});
  CHECK_EQUAL(0, ended.status);
  CHECK(contains(ended.output, "Recall@20 theirs -, ours 0."));
  CHECK(contains(ended.output, "MRR@20 theirs -, ours 0."));
}

TEST_CASE("gpu_check: without cuBLAS there is float32 alone, and no accuracy to compare") {
  const TemporaryFolder folder;
  const std::string out = folder.path() + "/result.json";
  gpu_check_with({"--small", "--out", out, "--stage", "precision", "--cublas", "none"});
  CHECK_EQUAL(std::string("skipped"), verdict_of(read_file(out), "precision"));
  CHECK(contains(read_file(out), "\"reason\": \"only float32 is there, and nothing to compare it with\""));
}

}  // namespace gru4rec::test
