#include "gpu_check/options.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "gpu_check/stage.h"

/// Paths of the emulated libraries, from the build; empty where they are not built.
#ifndef GRU4REC_EMULATED_CUDA
#define GRU4REC_EMULATED_CUDA ""
#define GRU4REC_EMULATED_CUBLAS ""
#endif

namespace gru4rec::gpu_check {

namespace {

bool exists(const std::string& path) { return !path.empty() && access(path.c_str(), R_OK) == 0; }

/// The path of this program.
std::filesystem::path own_path() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

/// The CUDA back end's library: the one that the environment names or the one beside this program; with --small, which
/// says nothing of a GPU's speed, else the emulated one.
void find_libraries(DeviceOptions& device, bool small) {
  const char* named = std::getenv("GRU4REC_CUDA_LIBRARY");
  if (device.cuda_library.empty() && named != nullptr) device.cuda_library = named;
  const std::string beside = (own_path().parent_path() / "libgru4rec_cuda.so").string();
  if (device.cuda_library.empty() && exists(beside)) device.cuda_library = beside;
  if (device.cuda_library.empty() && small && exists(GRU4REC_EMULATED_CUDA)) {
    device.cuda_library = GRU4REC_EMULATED_CUDA;
    if (device.cublas_path.empty()) device.cublas_path = GRU4REC_EMULATED_CUBLAS;
  }
  if (device.cuda_library.empty())
    throw UsageError(
        "Expected --library or GRU4REC_CUDA_LIBRARY to name libgru4rec_cuda.so, or one beside this program, but there "
        "is none");
}

std::string stage_names() {
  std::string names;
  for (const Stage& stage : all_stages()) names += (names.empty() ? "" : ", ") + std::string(stage.name);
  return names;
}

std::vector<std::string> parse_stages(const std::string& list) {
  std::vector<std::string> names;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    bool known = false;
    for (const Stage& stage : all_stages()) known = known || part == stage.name;
    if (!known) throw UsageError("Expected --stage to name stages from " + stage_names() + " but received " + part);
    names.push_back(part);
  }
  if (names.empty()) throw UsageError("Expected --stage to name stages from " + stage_names() + " but received none");
  return names;
}

double parse_seconds(const std::string& text) {
  char* end = nullptr;
  const double seconds = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(seconds >= kLeastSeconds && seconds <= 86400.0))
    throw UsageError("Expected --seconds to be a number from 5 to 86400 but received " + text);
  return seconds;
}

void expect_readable(const char* option, const std::string& path) {
  if (!path.empty() && !exists(path))
    throw UsageError(std::string("Expected ") + option + " to name what can be read but received " + path);
}

}  // namespace

std::string usage() {
  return "gpu_check [options]\n"
         "  --out FILE           write the result as JSON\n"
         "  --stage A[,B]        some stages only: " +
         stage_names() +
         "\n"
         "  --device cuda[:N]    default: the first GPU that can be used\n"
         "  --library FILE       libgru4rec_cuda.so; default: GRU4REC_CUDA_LIBRARY, else the one beside this program\n"
         "  --cublas FILE        a cuBLAS library, or `none`; default: look for it\n"
         "  --data FILE          a click log to train on besides the generated one: SessionId, ItemId and Time "
         "between\n"
         "                       tabs under a line of names, sorted by session\n"
         "  --roofline FILE      JSON: name of a configuration -> microseconds of a step at best\n"
         "  --peer-pytorch DIR   the author's PyTorch version, to be timed on the same data\n"
         "  --python FILE        Python for it; default: python3\n"
         "  --sanitizer FILE     compute-sanitizer; default: look on PATH and in CUDA's folders\n"
         "  --seconds N          time for the whole, 5 or more; default: 480\n"
         "  --small              sizes for the emulator, which is taken where there is no library\n"
         "  --in-process         run stages in this process, for a debugger\n"
         "  --help\n"
         "Exit status: 0 no stage failed, 1 a stage failed, 2 wrong usage, 3 nothing was checked.\n";
}

Options parse_options(int argc, char** argv) {
  Options options;
  options.program = own_path().string();
  options.device.device = "cuda";
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const auto value = [&] {
      if (i + 1 >= argc) throw UsageError("Expected a value behind " + option + " but received none");
      return std::string(argv[++i]);
    };
    if (option == "--out") {
      options.out = value();
    } else if (option == "--stage") {
      options.stages = parse_stages(value());
    } else if (option == "--device") {
      options.device.device = value();
      if (options.device.device.rfind("cuda", 0) != 0)
        throw UsageError("Expected --device to be cuda or cuda:N but received " + options.device.device);
    } else if (option == "--library") {
      options.device.cuda_library = value();
    } else if (option == "--cublas") {
      options.device.cublas_path = value();
    } else if (option == "--data") {
      options.data = value();
    } else if (option == "--roofline") {
      options.roofline = value();
    } else if (option == "--peer-pytorch") {
      options.peer = value();
    } else if (option == "--python") {
      options.python = value();
    } else if (option == "--sanitizer") {
      options.sanitizer = value();
    } else if (option == "--seconds") {
      options.seconds = parse_seconds(value());
    } else if (option == "--small") {
      options.small = true;
    } else if (option == "--in-process") {
      options.in_process = true;
    } else if (option == "--help") {
      options.help = true;
    } else {
      throw UsageError("Expected an option but received " + option);
    }
  }
  expect_readable("--library", options.device.cuda_library);
  expect_readable("--data", options.data);
  expect_readable("--roofline", options.roofline);
  expect_readable("--peer-pytorch", options.peer);
  expect_readable("--sanitizer", options.sanitizer);
  if (!options.help) find_libraries(options.device, options.small);
  return options;
}

DeviceOptions cpu_device() { return {"cpu", 0, {}, {}}; }

bool is_emulated(const DeviceOptions& device) {
  std::error_code error;  // where there is no such file, it is not the same
  if (std::filesystem::equivalent(device.cuda_library, GRU4REC_EMULATED_CUDA, error)) return true;
  for (const DeviceDescription& description : list_devices(device).devices)
    if (description.name.rfind("Emulated", 0) == 0) return true;
  return false;
}

}  // namespace gru4rec::gpu_check
