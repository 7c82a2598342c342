// Speed of the products of a training step and of ranking, beside OpenBLAS where that is installed.
//
//   bench_gemm [threads] [isa]
//
// Prints GFLOP/s, the best of many short repetitions: what the code can do when nothing else runs. OpenBLAS gets
// gathered rows already copied, so its figures leave that work out.

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "backends/cpu/gemm/gemm.h"

namespace {

using gru4rec::ConstMatrix;
using gru4rec::Matrix;
using namespace gru4rec::cpu;

struct Workload {
  const char* what;
  int64_t m, n, k;
  bool transpose_a, transpose_b, gather_b;
  bool serial;  ///< multiply_serial on one thread, whatever the number of threads
};

constexpr Workload kWorkloads[] = {
    {"scores 32x2080x100", 32, 2080, 100, false, true, true, false},
    {"dHidden 32x100x2080", 32, 100, 2080, false, false, true, false},
    {"dRows 2080x100x32", 2080, 100, 32, true, false, false, false},
    {"gates 32x200x200", 32, 200, 200, false, false, false, false},
    {"dGates 32x200x200", 32, 200, 200, false, true, false, false},
    {"dWeights 200x200x32", 200, 200, 32, true, false, false, false},
    {"scores 240x2288x512", 240, 2288, 512, false, true, true, false},
    {"dHidden 240x512x2288", 240, 512, 2288, false, false, true, false},
    {"dRows 2288x512x240", 2288, 512, 240, true, false, false, false},
    {"gates 240x1024x1024", 240, 1024, 1024, false, false, false, false},
    {"dWeights 1024x1024x240", 1024, 1024, 240, true, false, false, false},
    {"scores 64x2112x512", 64, 2112, 512, false, true, true, false},
    {"rank 256x1024x100", 256, 1024, 100, false, true, false, true},
    {"rank 512x2048x100", 512, 2048, 100, false, true, false, true},
    {"rank 512x4096x512", 512, 4096, 512, false, true, false, true},
    {"recommend 1x37000x100", 1, 37000, 100, false, true, false, false},
};

using Sgemm = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a,
                       int lda, const float* b, int ldb, float beta, float* c, int ldc);

/// Seconds of the best of many repetitions within half a second.
template <class F>
double best_time(const F& work) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  const auto end = Clock::now() + std::chrono::milliseconds(500);
  do {
    const auto start = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  } while (Clock::now() < end);
  return best;
}

std::vector<float> some_numbers(int64_t count) {
  std::vector<float> numbers(static_cast<size_t>(count));
  uint32_t state = 1;
  for (float& number : numbers) {
    state = state * 1664525u + 1013904223u;
    number = static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
  }
  return numbers;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : available_threads();
  Isa isa = choose_isa();
  if (argc > 2) {
    setenv("GRU4REC_ISA", argv[2], 1);
    isa = choose_isa();
  }
  ThreadPool pool(threads);
  Gemm gemm(isa, pool);

  Sgemm sgemm = nullptr;
  void (*set_threads)(int) = nullptr;
  if (void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL)) {
    sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
    set_threads = reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"));
  }
  std::printf("%s, threads %d; OpenBLAS %s\n", name(isa), threads, sgemm != nullptr ? "beside it" : "not installed");
  std::printf("%-26s %9s %9s %7s\n", "m x n x k", "GFLOP/s", "OpenBLAS", "ratio");

  constexpr int64_t kTableRows = 40000;
  for (const Workload& w : kWorkloads) {
    const std::vector<float> a = some_numbers(w.m * w.k);
    const std::vector<float> b = some_numbers(w.gather_b ? kTableRows * (w.transpose_b ? w.k : w.n) : w.k * w.n);
    std::vector<float> c(static_cast<size_t>(w.m * w.n));
    std::vector<int32_t> rows;
    for (int64_t r = 0; r < (w.transpose_b ? w.n : w.k); ++r) {
      rows.push_back(static_cast<int32_t>(r * 7919 % kTableRows));
    }
    Factor factor_a, factor_b;
    factor_a.stored = w.transpose_a ? ConstMatrix(a.data(), w.k, w.m) : ConstMatrix(a.data(), w.m, w.k);
    factor_a.transposed = w.transpose_a;
    const int64_t b_rows = w.gather_b ? kTableRows : (w.transpose_b ? w.n : w.k);
    factor_b.stored = ConstMatrix(b.data(), b_rows, w.transpose_b ? w.k : w.n);
    factor_b.transposed = w.transpose_b;
    if (w.gather_b) {
      factor_b.gathered = rows.data();
      factor_b.gathered_rows = static_cast<int64_t>(rows.size());
    }
    const Matrix out(c.data(), w.m, w.n);
    const double flop = 2.0 * static_cast<double>(w.m * w.n * w.k);
    const double ours = 1e-9 * flop / best_time([&] {
                          if (w.serial) {
                            gemm.multiply_serial(factor_a, factor_b, {}, out, 0);
                          } else {
                            gemm.multiply(factor_a, factor_b, {}, out);
                          }
                        });
    std::printf("%-26s %9.1f", w.what, ours);
    if (sgemm != nullptr && set_threads != nullptr) {
      constexpr int kRowMajor = 101, kAsItIs = 111, kTransposed = 112;
      set_threads(w.serial ? 1 : threads);
      const double theirs =
          1e-9 * flop / best_time([&] {
            sgemm(kRowMajor, w.transpose_a ? kTransposed : kAsItIs, w.transpose_b ? kTransposed : kAsItIs,
                  static_cast<int>(w.m), static_cast<int>(w.n), static_cast<int>(w.k), 1.0f, a.data(),
                  static_cast<int>(factor_a.stored.stride), b.data(), static_cast<int>(factor_b.stored.stride), 0.0f,
                  c.data(), static_cast<int>(w.n));
          });
      std::printf(" %9.1f %7.2f", theirs, ours / theirs);
    }
    std::printf("\n");
  }
}
