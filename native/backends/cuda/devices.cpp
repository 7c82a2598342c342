#include "backends/cuda/devices.h"

#include <cuda_runtime.h>

#include <cstdlib>
#include <exception>

#include "backends/cuda/find_code.h"
#include "backends/cuda/gemm/cublas_library.h"
#include "backends/cuda/runtime.h"
#include "backends/cuda/text.h"

namespace gru4rec::cuda {

namespace {

/// The oldest GPUs that the kernels are compiled for.
constexpr int kOldestMajor = 7, kOldestMinor = 5;

/// What the driver has to say, and why no device can be used; empty = there are devices.
struct System {
  int devices = 0, driver_version = 0, runtime_version = 0;
  std::string problem;
};

/// "13.0"
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// The first driver for a CUDA, by the number that NVIDIA sells it under: " (580 or newer)".
std::string driver_package(int cuda_major) {
  switch (cuda_major) {
    case 12:
      return " (525 or newer)";
    case 13:
      return " (580 or newer)";
    default:
      return "";
  }
}

std::string failed(const char* call, cudaError_t error) {
  cudaGetLastError();  // what was asked here is no error of the calls to come
  return std::string("Expected ") + call + " to succeed but received " + cudaGetErrorName(error) + ": " +
         cudaGetErrorString(error);
}

/// Why cudaGetDeviceCount counted no devices.
std::string reason(cudaError_t error, const System& system) {
  if (error == cudaErrorNoDevice) {
    cudaGetLastError();
    const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
    return "Expected an NVIDIA GPU but the driver shows none" +
           (visible != nullptr ? ", with CUDA_VISIBLE_DEVICES=\"" + std::string(visible) + "\"" : "");
  }
  if (error != cudaErrorInsufficientDriver) return failed("cudaGetDeviceCount", error);
  cudaGetLastError();
  if (system.driver_version == 0) return "Expected an NVIDIA driver (libcuda.so.1) but found none";
  // Any driver of a major version runs all libraries of that major version.
  const int major = system.runtime_version / 1000;
  return "Expected a driver for CUDA " + version_text(major * 1000) + " or newer" + driver_package(major) +
         " but received one for CUDA " + version_text(system.driver_version);
}

System look_at_system() {
  System system;
  // Without a driver both succeed, with a driver version of 0.
  cudaDriverGetVersion(&system.driver_version);
  cudaRuntimeGetVersion(&system.runtime_version);
  const cudaError_t error = cudaGetDeviceCount(&system.devices);
  if (error != cudaSuccess || system.devices == 0) {
    system.devices = 0;
    system.problem = reason(error != cudaSuccess ? error : cudaErrorNoDevice, system);
  }
  return system;
}

/// Fills in what is known of a device without using it. Returns why it cannot be used; empty = it can.
std::string look_at_device(int number, cudaDeviceProp* properties) {
  const System system = look_at_system();
  if (!system.problem.empty()) return system.problem;
  if (number < 0 || number >= system.devices) {
    return "Expected a CUDA device from 0 to " + std::to_string(system.devices - 1) + " but received " +
           std::to_string(number);
  }
  if (const cudaError_t error = cudaGetDeviceProperties(properties, number); error != cudaSuccess) {
    return failed("cudaGetDeviceProperties", error);
  }
  if (properties->major < kOldestMajor || (properties->major == kOldestMajor && properties->minor < kOldestMinor)) {
    return "Expected a GPU of compute capability " + std::to_string(kOldestMajor) + "." + std::to_string(kOldestMinor) +
           " or newer but received " + properties->name + " with " + std::to_string(properties->major) + "." +
           std::to_string(properties->minor);
  }
  return "";
}

/// Why the current device cannot run the kernels of this library; empty = it can.
std::string look_for_code() {
  const cudaError_t error = find_code();
  if (error == cudaSuccess) return "";
  if (error != cudaErrorNoKernelImageForDevice) return failed("cudaFuncGetAttributes", error);
  cudaGetLastError();
  return "Expected libgru4rec_cuda.so to hold code for this GPU but it was built for others: build it on this machine";
}

/// Asks whether there is code for a device and how much of its memory is free.
/// Returns why it cannot be used; empty = it can.
///
/// The device stays the current one of this thread. Every call that needs one sets its own, and going back would open a
/// context on the device that was current before: on GPU 0, mostly, which the caller may not want to use at all.
std::string look_inside(int number, size_t* free, size_t* total) {
  if (const cudaError_t error = cudaSetDevice(number); error != cudaSuccess) return failed("cudaSetDevice", error);
  if (const cudaError_t error = cudaMemGetInfo(free, total); error != cudaSuccess) {
    return failed("cudaMemGetInfo", error);
  }
  return look_for_code();
}

}  // namespace

void select_device(int number) {
  cudaDeviceProp properties{};
  const std::string problem = look_at_device(number, &properties);
  if (!problem.empty()) throw Error(ErrorCode::device, problem);
  GRU_CHECK(cudaSetDevice(number));
  if (const std::string no_code = look_for_code(); !no_code.empty()) throw Error(ErrorCode::device, no_code);
}

}  // namespace gru4rec::cuda

namespace gru4rec::cuda_library {

void driver(Driver* out) {
  const cuda::System system = cuda::look_at_system();
  *out = {};
  out->devices = system.devices;
  out->driver_version = system.driver_version;
  out->runtime_version = system.runtime_version;
  set_text(system.problem, out->problem.characters);
}

void device(int32_t number, Device* out) {
  cudaDeviceProp properties{};
  std::string problem = cuda::look_at_device(number, &properties);
  size_t free = 0, total = properties.totalGlobalMem;
  if (problem.empty()) problem = cuda::look_inside(number, &free, &total);
  *out = {};
  set_text(properties.name, out->name.characters);
  out->total_bytes = static_cast<int64_t>(total);
  out->free_bytes = static_cast<int64_t>(free);
  out->major = properties.major;
  out->minor = properties.minor;
  set_text(problem, out->problem.characters);
}

void blas(int32_t number, const char* cublas_path, Blas* out) {
  *out = {};
  try {
    cudaDeviceProp properties{};
    // Of a device that cannot be used, the reason is told elsewhere: any cuBLAS will do for it.
    const bool usable = cuda::look_at_device(number, &properties).empty();
    const int capability = usable ? 10 * properties.major + properties.minor : 0;
    const cuda::CublasSearch found =
        cuda::find_cublas(cublas_path != nullptr ? cublas_path : "",
                          [&](const cuda::CublasLibrary& library) { return cuda::too_old_for(library, capability); });
    if (found.library != nullptr) {
      out->version = found.library->version;
      set_text(found.library->path, out->path.characters);
    }
    set_text(found.problem, out->problem.characters);
  } catch (const std::exception& error) {
    set_text(error.what(), out->problem.characters);
  }
}

}  // namespace gru4rec::cuda_library
