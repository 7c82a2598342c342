#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/memory_meter.h"

namespace gru4rec {

/// Which device to compute on, and where its libraries are.
struct DeviceOptions {
  std::string device =
      "auto";                ///< "cpu", "cuda:1", "cuda" for the first one that can be used, "auto" for it or the CPU
  int threads = 0;           ///< threads of the CPU back end; 0 = as many as the CPU quota of the process allows
  std::string cuda_library;  ///< path of libgru4rec_cuda.so; empty = there is none
  std::string cublas_path;   ///< a cuBLAS library; empty = look for it, "none" = do without
};

/// Makes the back end of a device. "auto" is the first CUDA device that can be used, else the CPU; why there is none
/// say list_devices.
/// Throws ErrorCode::device for a device that is not here or cannot be used, ErrorCode::argument,
/// ErrorCode::out_of_memory.
std::unique_ptr<Backend> create_backend(const DeviceOptions& options);

/// "cpu" or "cuda:0": the device that create_backend would take. Throws as it does.
std::string choose_device(const DeviceOptions& options);

/// What measures the memory that the back end of a device would take. A device that is asked for need not be here.
std::unique_ptr<MemoryMeter> create_memory_meter(const DeviceOptions& options);

/// A device of this machine.
struct DeviceDescription {
  std::string id;    ///< "cpu", "cuda:0"
  std::string name;  ///< of the CPU its instruction set
  DeviceMemory memory;
  int threads = 0;           ///< of the CPU
  int capability_major = 0;  ///< compute capability of a CUDA device
  int capability_minor = 0;  ///< "
  std::string problem;       ///< why it cannot be used; empty = it can
};

/// What CUDA devices need besides themselves. Versions are 13000 for 13.0; 0 = there is none.
struct CudaDescription {
  int driver_version = 0;   ///< newest CUDA that the driver knows
  int runtime_version = 0;  ///< CUDA that the library was built with
  std::string problem;      ///< why no device can be used; empty = there are devices
  int cublas_version = 0;   ///< of the first device that can be used, as cuBLAS counts
  std::string cublas_path;
  std::string cublas_problem;  ///< where cuBLAS was looked for in vain; empty = it was found
};

struct DeviceList {
  std::vector<DeviceDescription> devices;  ///< the CPU, then CUDA's by their numbers
  CudaDescription cuda;
  std::string automatic;  ///< what "auto" takes
};

/// What there is to compute on, and what cannot be used with the reason. `options.device` plays no part.
DeviceList list_devices(const DeviceOptions& options);

}  // namespace gru4rec
