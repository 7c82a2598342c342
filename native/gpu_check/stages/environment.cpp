#include "gpu_check/process.h"
#include "gpu_check/stage.h"

/// What there is: GPU, driver, CUDA, cuBLAS, and what nvidia-smi says of clocks and power.
namespace gru4rec::gpu_check {

namespace {

/// 13000 -> "13.0"
std::string version_text(int version) {
  return version == 0 ? "none" : std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

constexpr const char* kSmiFields =
    "name,driver_version,pstate,clocks.sm,clocks.max.sm,clocks.mem,clocks.max.mem,power.draw,power.limit,"
    "temperature.gpu,utilization.gpu,memory.used,memory.total,persistence_mode,mig.mode.current";

}  // namespace

void check_environment(const Options& options, Report& report) {
  const DeviceList list = list_devices(options.device);
  const CudaDescription& cuda = list.cuda;
  report.data["library"] = options.device.cuda_library;
  report.data["emulated"] = is_emulated(options.device);
  report.data["driver_cuda"] = version_text(cuda.driver_version);
  report.data["runtime_cuda"] = version_text(cuda.runtime_version);
  report.data["cublas"] = cuda.cublas_version;
  report.data["cublas_path"] = cuda.cublas_path;
  report.line("library %s", options.device.cuda_library.c_str());
  report.line("driver for CUDA %s, library built with CUDA %s, cuBLAS %d %s", version_text(cuda.driver_version).c_str(),
              version_text(cuda.runtime_version).c_str(), cuda.cublas_version, cuda.cublas_path.c_str());
  report.data["devices"] = Json::array();
  for (const DeviceDescription& device : list.devices) {
    Json entry = Json::object();
    entry["id"] = device.id;
    entry["name"] = device.name;
    entry["capability"] = std::to_string(device.capability_major) + "." + std::to_string(device.capability_minor);
    entry["memory_bytes"] = device.memory.total;
    entry["free_bytes"] = device.memory.free;
    entry["threads"] = device.threads;
    entry["problem"] = device.problem;
    report.data["devices"].push(entry);
    report.line("%s: %s, %.1f GB %s", device.id.c_str(), device.name.c_str(),
                static_cast<double>(device.memory.total) / 1e9, device.problem.c_str());
  }
  report.expect(cuda.problem.empty(), cuda.problem);
  // Without it everything works, in float32.
  report.data["cublas_problem"] = cuda.cublas_problem;
  if (!cuda.cublas_problem.empty()) report.line("no cuBLAS: %s", cuda.cublas_problem.c_str());

  report.data["description"] = create_backend(options.device)->description();  // throws where it cannot be used
  const std::string smi = find_program("nvidia-smi", {});
  if (smi.empty()) {
    report.line("no nvidia-smi: clocks are not known");
    return;
  }
  const Ended ended =
      run_command({smi, std::string("--query-gpu=") + kSmiFields, "--format=csv"}, "", std::max(1.0, report.left()));
  report.data["nvidia_smi"] = ended.status == 0 && !ended.timed_out ? tail(ended.output, 4000) : ended.how();
  report.line("%s", tail(ended.output, 4000).c_str());
}

}  // namespace gru4rec::gpu_check
