#pragma once

#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

/// What the planted bugs share. A program of cases runs the one that its argument names: it ends with 0 when the result
/// is right, with 3 when it is wrong, and with 4 after printing the name of an error that CUDA returned; what the
/// emulator finds ends it with 99.
namespace gru4rec::emulator::test {

struct Case {
  const char* name;
  void (*run)();
};

/// Registers a case: CASE(name) { ... }
struct Registration {
  Registration(const char* name, void (*run)());
};
#define CASE(name)                                                                       \
  static void name();                                                                    \
  static const ::gru4rec::emulator::test::Registration name##_registration(#name, name); \
  static void name()

inline void expect_success(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::printf("%s\n", cudaGetErrorName(error));
  std::fflush(stdout);
  _Exit(4);
}

inline void expect_result(bool right) {
  if (right) return;
  std::printf("wrong result\n");
  std::fflush(stdout);
  _Exit(3);
}

/// The stream of a case.
inline cudaStream_t stream() {
  static cudaStream_t stream = [] {
    cudaStream_t made = nullptr;
    expect_success(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
    return made;
  }();
  return stream;
}

inline cudaStream_t make_stream() {
  cudaStream_t made = nullptr;
  expect_success(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking));
  return made;
}

inline cudaEvent_t make_event() {
  cudaEvent_t made = nullptr;
  expect_success(cudaEventCreateWithFlags(&made, cudaEventDisableTiming));
  return made;
}

template <class... Parameters, class... Arguments>
void launch_on(cudaStream_t stream, void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes,
               Arguments... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  expect_success(cudaLaunchKernelEx(&config, kernel, arguments...));
}

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, Arguments... arguments) {
  launch_on(stream(), kernel, grid, block, 0, arguments...);
}

template <class T>
T* on_device(size_t count) {
  T* memory = nullptr;
  expect_success(cudaMalloc(&memory, count * sizeof(T)));
  return memory;
}

template <class T>
T* on_device(const std::vector<T>& values) {
  T* memory = on_device<T>(values.size());
  expect_success(cudaMemcpy(memory, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  return memory;
}

template <class T>
T* pinned(size_t count) {
  T* memory = nullptr;
  expect_success(cudaMallocHost(&memory, count * sizeof(T)));
  return memory;
}

/// What is in device memory after everything in stream() has run.
template <class T>
std::vector<T> on_host(const T* memory, size_t count) {
  expect_success(cudaStreamSynchronize(stream()));
  std::vector<T> values(count);
  expect_success(cudaMemcpy(values.data(), memory, count * sizeof(T), cudaMemcpyDeviceToHost));
  return values;
}

/// first, first + 1, ...
inline std::vector<int> counted(int count, int first = 0) {
  std::vector<int> values;
  for (int i = 0; i < count; ++i) values.push_back(first + i);
  return values;
}

constexpr unsigned kAllLanes = 0xffffffffu;

}  // namespace gru4rec::emulator::test
