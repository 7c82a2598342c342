#include "emulator/test/cases.h"

namespace gru4rec::emulator::test {

__global__ void fill(float* out, float value, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) out[i] = value;
}
__global__ void copy(const float* from, float* out) { out[threadIdx.x] = from[threadIdx.x]; }

CASE(write_past_the_end) {
  float* out = on_device<float>(40);
  launch(fill, 1, 64, out, 1.0f, 41);
  on_host(out, 1);
}

__global__ void write_before(float* out) { out[-1] = 1.0f; }
CASE(write_before_the_start) {
  float* out = on_device<float>(40);
  launch(write_before, 1, 1, out);
  on_host(out, 1);
}

CASE(read_past_the_end) {
  float *from = on_device(std::vector<float>(63, 1.0f)), *out = on_device<float>(64);
  launch(copy, 1, 64, from, out);
  for (float value : on_host(out, 64)) expect_result(value == 1.0f);
}

CASE(uninitialised_memory) {
  float *from = on_device<float>(64), *out = on_device<float>(64);
  launch(copy, 1, 64, from, out);
  for (float value : on_host(out, 64)) expect_result(value == 0.0f);
}

__global__ void write_past_shared(float* out) {
  GRU_SHARED(float, sums, [7]);
  float* from_first = sums;  // the compiler does not know its end, so what surrounds the array has to tell
  if (threadIdx.x < 8) from_first[threadIdx.x] = 1.0f;
  __syncthreads();
  out[threadIdx.x] = sums[0];
}
CASE(write_past_a_shared_array) {
  float* out = on_device<float>(64);
  launch(write_past_shared, 1, 64, out);
  on_host(out, 1);
}

__global__ void use_dynamic_shared(float* out) {
  GRU_DYNAMIC_SHARED(float, values);
  values[threadIdx.x] = 1.0f;
  __syncthreads();
  out[threadIdx.x] = values[threadIdx.x ^ 1u];
}
CASE(write_past_dynamic_shared_memory) {
  float* out = on_device<float>(64);
  launch_on(stream(), use_dynamic_shared, 1, 64, 63 * sizeof(float), out);
  on_host(out, 1);
}
CASE(dynamic_shared_memory) {
  float* out = on_device<float>(64);
  launch_on(stream(), use_dynamic_shared, 1, 64, 64 * sizeof(float), out);
  for (float value : on_host(out, 64)) expect_result(value == 1.0f);
}
CASE(dynamic_shared_memory_forgotten) {
  launch(use_dynamic_shared, 1, 64, on_device<float>(64));
  expect_success(cudaStreamSynchronize(stream()));
}

__global__ void forget_one(float* out) {
  GRU_SHARED(float, values, [64]);
  if (threadIdx.x != 17) values[threadIdx.x] = 1.0f;
  __syncthreads();
  out[threadIdx.x] = values[threadIdx.x];
}
CASE(uninitialised_shared_memory) {
  float* out = on_device<float>(64);
  launch(forget_one, 1, 64, out);
  for (float value : on_host(out, 64)) expect_result(value == 1.0f);
}

__global__ void overflow_stack(float* out) {
  volatile float values[1 << 17];
  values[threadIdx.x] = 1.0f;
  out[threadIdx.x] = values[threadIdx.x];
}
CASE(stack_overflow) {
  float* out = on_device<float>(64);
  launch(overflow_stack, 1, 64, out);
  on_host(out, 1);
}

CASE(host_pointer) {
  static float values[64];
  launch(fill, 1, 64, values, 1.0f, 64);
}
CASE(pinned_pointer) { launch(fill, 1, 64, pinned<float>(64), 1.0f, 64); }
CASE(freed_pointer) {
  float* values = on_device<float>(64);
  expect_success(cudaFree(values));
  launch(fill, 1, 64, values, 1.0f, 64);
}

struct View {
  float* data;
  int count;
};
__global__ void fill_view(View view) { view.data[threadIdx.x] = 1.0f; }
CASE(freed_pointer_in_a_struct) {
  float* values = on_device<float>(64);
  expect_success(cudaFree(values));
  launch(fill_view, 1, 64, View{values, 64});
}

__global__ void follow(float** table) { table[0][threadIdx.x] = 1.0f; }
CASE(freed_pointer_in_device_memory) {
  float* values = on_device<float>(64);
  float** table = on_device(std::vector<float*>({values}));
  expect_success(cudaFree(values));
  launch(follow, 1, 64, table);
  expect_success(cudaStreamSynchronize(stream()));
}

CASE(host_reads_device_memory) {
  float* values = on_device(std::vector<float>(64, 1.0f));
  expect_result(values[0] == 1.0f);
}
CASE(freed_twice) {
  float* values = on_device<float>(64);
  expect_success(cudaFree(values));
  expect_success(cudaFree(values));
}
CASE(copy_past_the_end) {
  const std::vector<float> values(65);
  expect_success(cudaMemcpy(on_device<float>(64), values.data(), 65 * sizeof(float), cudaMemcpyHostToDevice));
}
CASE(copy_of_another_kind) {
  std::vector<float> values(64);
  expect_success(cudaMemcpy(values.data(), on_device<float>(64), 64 * sizeof(float), cudaMemcpyHostToDevice));
}
CASE(copy_in_two_dimensions) {
  int* from = pinned<int>(12);
  for (int i = 0; i < 12; ++i) from[i] = i;
  int* out = on_device(std::vector<int>(8, -1));
  expect_success(cudaMemcpy2DAsync(out, 16, from, 24, 12, 2, cudaMemcpyHostToDevice, stream()));
  expect_result(on_host(out, 8) == std::vector<int>({0, 1, 2, -1, 6, 7, 8, -1}));
}

CASE(no_memory_left) {
  size_t free = 0, total = 0;
  expect_success(cudaMemGetInfo(&free, &total));
  void* memory = nullptr;
  expect_success(cudaMalloc(&memory, total / 2));
  size_t left = 0;
  expect_success(cudaMemGetInfo(&left, &total));
  expect_result(left == free - total / 2);
  expect_result(cudaMalloc(&memory, total / 2 + 1) == cudaErrorMemoryAllocation && memory == nullptr);
  expect_result(cudaGetLastError() == cudaErrorMemoryAllocation && cudaGetLastError() == cudaSuccess);
}

}  // namespace gru4rec::emulator::test
