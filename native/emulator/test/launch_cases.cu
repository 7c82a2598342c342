#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "emulator/emulator.h"
#include "emulator/test/cases.h"

namespace gru4rec::emulator::test {

__global__ void nothing() {}

CASE(too_many_threads) { launch(nothing, 1, 2048); }
CASE(no_threads) { launch(nothing, 1, 0); }
CASE(no_blocks) { launch(nothing, 0, 32); }
CASE(too_many_rows_of_blocks) { launch(nothing, dim3(1, 70000), 32); }
CASE(default_stream) { launch_on(nullptr, nothing, 1, 32, 0); }

__global__ void use_shared(float* out) {
  GRU_DYNAMIC_SHARED(float, values);
  values[threadIdx.x] = 1.0f;
  out[threadIdx.x] = values[threadIdx.x];
}
CASE(large_shared_memory_unasked) { launch_on(stream(), use_shared, 1, 64, 60 * 1024, on_device<float>(64)); }
CASE(large_shared_memory) {
  float* out = on_device<float>(64);
  expect_success(cudaFuncSetAttribute(use_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, 60 * 1024));
  launch_on(stream(), use_shared, 1, 64, 60 * 1024, out);
  expect_result(on_host(out, 1)[0] == 1.0f);
}
CASE(more_shared_memory_than_there_is) {
  expect_success(cudaFuncSetAttribute(use_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, 120 * 1024));
}

__global__ void use_both(float* out) {
  GRU_SHARED(float, values, [11000]);
  values[threadIdx.x] = 1.0f;
  out[threadIdx.x] = values[threadIdx.x];
}
CASE(static_and_dynamic_shared_memory) {
  launch_on(stream(), use_both, 1, 64, 6 * 1024, on_device<float>(64));
  expect_success(cudaStreamSynchronize(stream()));
}

__global__ void write_index(int* out) { out[blockIdx.x] = static_cast<int>(blockIdx.x); }
CASE(many_registers) { launch(write_index, 1, 512, on_device<int>(1)); }
CASE(kernel_without_resources) { launch(nothing, 1, 32); }

CASE(properties) {
  cudaDeviceProp properties;
  int count = 0;
  expect_success(cudaGetDeviceCount(&count));
  expect_success(cudaGetDeviceProperties(&properties, count - 1));
  expect_result(count == 2 && properties.major == 7 && properties.minor == 0);
  expect_result(cudaSetDevice(2) == cudaErrorInvalidDevice);
}
/// Memory and streams belong to the device that was current when they were made.
CASE(stream_of_another_device) {
  stream();
  expect_success(cudaSetDevice(1));
  launch(nothing, 1, 32);
}
CASE(memory_of_another_device) {
  int* memory = on_device<int>(1);
  expect_success(cudaSetDevice(1));
  launch(write_index, 1, 1, memory);
}
CASE(device_count) {
  int count = 0;
  expect_success(cudaGetDeviceCount(&count));
}

// Failures on demand.

CASE(third_allocation_fails) {
  on_device<int>(1);
  pinned<int>(1);
  on_device<int>(1);
}
CASE(second_launch_breaks_the_device) {
  launch(nothing, 1, 32);
  launch(nothing, 1, 32);
  expect_success(cudaStreamSynchronize(stream()));
}
CASE(failures_from_the_test) {
  void* memory = nullptr;
  gru4rec_emulator_fail_allocation(1);
  expect_result(cudaMalloc(&memory, 4) == cudaErrorMemoryAllocation);
  expect_result(cudaMalloc(&memory, 4) == cudaSuccess);
  gru4rec_emulator_fail_launch(1);
  launch(nothing, 1, 32);
  expect_result(cudaStreamSynchronize(stream()) == cudaErrorIllegalAddress);
  expect_result(cudaGetLastError() == cudaErrorIllegalAddress && cudaGetLastError() == cudaErrorIllegalAddress);
  gru4rec_emulator_mend();
  expect_success(cudaStreamSynchronize(stream()));
}

CASE(counters) {
  Gru4recEmulatorCounters before, after;
  int* memory = on_device<int>(100);
  gru4rec_emulator_reset_counters();
  gru4rec_emulator_read_counters(&before);
  expect_result(before.live_bytes == 400 && before.allocations == 0);
  launch(write_index, 8, 1, memory);
  on_host(memory, 8);
  expect_success(cudaFree(memory));
  gru4rec_emulator_read_counters(&after);
  expect_result(after.launches == 1 && after.bytes_to_host == 32 && after.copies == 1 && after.synchronisations == 2);
  expect_result(after.live_bytes == 0 && after.peak_bytes == 400);
}

CASE(profile) {
  launch(nothing, 1, 32);
  launch(nothing, 1, 32);
  expect_success(cudaStreamSynchronize(stream()));
  std::exit(0);  // the profile is printed at the end of the process
}

/// A program must not take the zeros of kernels that are not counted for their traffic.
CASE(profile_without_counted_kernels) {
  int* memory = on_device<int>(8);
  gru4rec_emulator_start_profile();
  launch(write_index, 8, 1, memory);
  expect_success(cudaStreamSynchronize(stream()));
  const std::string path = "/tmp/gru4rec-profile-" + std::to_string(getpid());
  gru4rec_emulator_write_profile(path.c_str());
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::remove(path.c_str());
  expect_result(text.find("\"kernelsAreCounted\": false") != std::string::npos);
  expect_result(text.find("\"name\": \"gru4rec::emulator::test::write_index\"") != std::string::npos);
}

}  // namespace gru4rec::emulator::test
