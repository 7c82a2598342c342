#pragma once

#include <cstddef>
#include <cstdint>

/// CUDA's additions to the language: qualifiers, vector types, the variables that tell a thread where it is.

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __grid_constant__

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

struct alignas(8) float2 {
  float x, y;
};
struct float3 {
  float x, y, z;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};
struct alignas(16) longlong2 {
  long long x, y;
};
struct alignas(16) ulonglong2 {
  unsigned long long x, y;
};

constexpr float2 make_float2(float x, float y) { return {x, y}; }
constexpr float3 make_float3(float x, float y, float z) { return {x, y, z}; }
constexpr float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
constexpr int2 make_int2(int x, int y) { return {x, y}; }
constexpr int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
constexpr uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
constexpr uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
constexpr uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
constexpr double2 make_double2(double x, double y) { return {x, y}; }
constexpr longlong2 make_longlong2(long long x, long long y) { return {x, y}; }
constexpr ulonglong2 make_ulonglong2(unsigned long long x, unsigned long long y) { return {x, y}; }

/// Set by the scheduler at every switch. Objects, not macros: cudaLaunchConfig_t has members of these names.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

/// Shared memory goes through these two macros in the CUDA sources (device.cuh has nvcc's version of them); there is no
/// __shared__, so that nothing escapes. A variable is found by the address of a key of its own: a function that is
/// called twice gets the same memory twice, as with nvcc.
#define GRU_SHARED(type, name, ...)                                                      \
  typedef type name##_emulated_type __VA_ARGS__;                                         \
  static const char name##_emulated_key = 0;                                             \
  auto& name = *static_cast<name##_emulated_type*>(::gru4rec::emulator::shared_variable( \
      &name##_emulated_key, sizeof(name##_emulated_type), alignof(name##_emulated_type), #name))
#define GRU_DYNAMIC_SHARED(type, name) type* name = static_cast<type*>(::gru4rec::emulator::dynamic_shared())
