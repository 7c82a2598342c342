#include <cmath>

#include "emulator/test/cases.h"

struct cublasContext;
extern "C" {
int cublasCreate_v2(cublasContext** handle);
int cublasDestroy_v2(cublasContext* handle);
int cublasSetStream_v2(cublasContext* handle, cudaStream_t stream);
int cublasSetMathMode(cublasContext* handle, int mode);
int cublasSetWorkspace_v2(cublasContext* handle, void* workspace, size_t bytes);
int cublasSgemm_v2(cublasContext* handle, int a_operation, int b_operation, int m, int n, int k, const float* alpha,
                   const float* a, int a_leading, const float* b, int b_leading, const float* beta, float* c,
                   int c_leading);
int cublasGemmEx(cublasContext* handle, int a_operation, int b_operation, int m, int n, int k, const void* alpha,
                 const void* a, int a_type, int a_leading, const void* b, int b_type, int b_leading, const void* beta,
                 void* c, int c_type, int c_leading, int compute_type, int algorithm);
}

namespace gru4rec::emulator::test {

void expect_status(int expected, int received) {
  if (expected == received) return;
  std::printf("status %d\n", received);
  std::fflush(stdout);
  _Exit(4);
}

cublasContext* make_handle() {
  cublasContext* handle = nullptr;
  expect_status(0, cublasCreate_v2(&handle));
  expect_status(0, cublasSetStream_v2(handle, stream()));
  expect_status(0, cublasSetWorkspace_v2(handle, on_device<char>(1024), 1024));
  return handle;
}

/// C [8, 8] <- A [8, 8] B [8, 8]
int multiply(cublasContext* handle, const float* a, int a_leading, const float* b, float* c, int c_leading) {
  const float one = 1.0f, zero = 0.0f;
  return cublasSgemm_v2(handle, 0, 0, 8, 8, 8, &one, a, a_leading, b, 8, &zero, c, c_leading);
}

CASE(leading_dimension_too_small) {
  float* matrix = on_device<float>(64);
  expect_status(0, multiply(make_handle(), matrix, 4, matrix, on_device<float>(64), 8));
}
CASE(product_out_of_range) {
  float* matrix = on_device<float>(64);
  expect_status(0, multiply(make_handle(), matrix, 8, matrix, on_device<float>(64), 9));
}
CASE(product_in_place) {
  float* matrix = on_device<float>(64);
  expect_status(0, multiply(make_handle(), matrix, 8, on_device<float>(64), matrix, 8));
}
CASE(product_without_stream) {
  cublasContext* handle = nullptr;
  expect_status(0, cublasCreate_v2(&handle));
  float* matrix = on_device<float>(64);
  expect_status(0, multiply(handle, matrix, 8, matrix, on_device<float>(64), 8));
}
CASE(product_without_workspace) {
  cublasContext* handle = nullptr;
  expect_status(0, cublasCreate_v2(&handle));
  expect_status(0, cublasSetStream_v2(handle, stream()));
  float* matrix = on_device<float>(64);
  expect_status(0, multiply(handle, matrix, 8, matrix, on_device<float>(64), 8));
}
/// Columns of one wider matrix: the ranges of addresses overlap, the elements do not.
CASE(product_of_column_ranges) {
  float* wide = on_device(std::vector<float>(16 * 8, 1.0f));
  expect_status(0, multiply(make_handle(), wide, 16, on_device(std::vector<float>(64, 1.0f)), wide + 8, 16));
  expect_result(on_host(wide, 16)[8] == 8.0f && on_host(wide, 16)[7] == 1.0f);
}

std::vector<float> pattern(int count, int seed) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>((i * 37 + seed) % 101) / 64.0f - 0.7f);
  return values;
}

/// C of odd sizes for all transpositions, against sums in the order of k.
CASE(products) {
  cublasContext* handle = make_handle();
  const int m = 19, n = 7, k = 33, leading = 41;
  const std::vector<float> a = pattern(leading * leading, 1), b = pattern(leading * leading, 2);
  const std::vector<float> before = pattern(leading * n, 3);
  float *device_a = on_device(a), *device_b = on_device(b);
  const float alpha = 0.5f, beta = 2.0f;
  for (int transposed = 0; transposed < 4; ++transposed) {
    const int ta = transposed & 1, tb = transposed >> 1;
    float* c = on_device(before);
    expect_status(
        0, cublasSgemm_v2(handle, ta, tb, m, n, k, &alpha, device_a, leading, device_b, leading, &beta, c, leading));
    const std::vector<float> received = on_host(c, before.size());
    for (int col = 0; col < n; ++col) {
      for (int row = 0; row < m; ++row) {
        float sum = 0.0f;
        for (int i = 0; i < k; ++i) {
          const float left = a[static_cast<size_t>(ta != 0 ? row * leading + i : i * leading + row)];
          const float right = b[static_cast<size_t>(tb != 0 ? i * leading + col : col * leading + i)];
          sum += left * right;
        }
        const size_t index = static_cast<size_t>(col * leading + row);
        expect_result(received[index] == alpha * sum + beta * before[index]);
      }
    }
    expect_result(received[static_cast<size_t>(m)] == before[static_cast<size_t>(m)]);
  }
}

/// C [1, 1] <- a b, where C holds NaN and beta is 0.
float multiply_numbers(float a, float b, int math_mode, int compute_type) {
  cublasContext* handle = make_handle();
  expect_status(0, cublasSetMathMode(handle, math_mode));
  const float one = 1.0f, zero = 0.0f;
  float* c = on_device<float>(1);
  expect_status(0, cublasGemmEx(handle, 0, 0, 1, 1, 1, &one, on_device(std::vector<float>({a})), 0, 1,
                                on_device(std::vector<float>({b})), 0, 1, &zero, c, 0, 1, compute_type, -1));
  const float product = on_host(c, 1)[0];
  expect_status(0, cublasDestroy_v2(handle));
  return product;
}
CASE(rounding_of_operands) {
  const float value = 1.0f + std::ldexp(1.0f, -11);  // halfway between two numbers of tf32
  expect_result(multiply_numbers(value, 1.0f, 0, 68) == value);
  expect_result(multiply_numbers(value, 1.0f, 0, 77) == 1.0f + std::ldexp(1.0f, -10));
  expect_result(multiply_numbers(value, 1.0f, 3, 68) == 1.0f + std::ldexp(1.0f, -10));
  expect_result(multiply_numbers(value, 1.0f, 0, 75) == 1.0f);
  expect_result(multiply_numbers(1.0f + std::ldexp(3.0f, -8), 1.0f, 0, 75) == 1.0f + std::ldexp(1.0f, -6));
}
CASE(bfloat16_operands) {
  const uint16_t one_and_a_half = 0x3FC0, two = 0x4000;
  const float one = 1.0f, zero = 0.0f;
  float* c = on_device<float>(1);
  expect_status(0, cublasGemmEx(make_handle(), 0, 0, 1, 1, 1, &one, on_device(std::vector<uint16_t>({one_and_a_half})),
                                14, 1, on_device(std::vector<uint16_t>({two})), 14, 1, &zero, c, 0, 1, 68, -1));
  expect_result(on_host(c, 1)[0] == 3.0f);
}

}  // namespace gru4rec::emulator::test
