#include "backends/cpu/gemm/gemm.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "check.h"

namespace {

std::atomic<int64_t> allocations{0};

}  // namespace

// Counts the memory that this program asks for on the calling thread's behalf; see "allocates nothing".
void* operator new(size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace gru4rec::cpu {

namespace {

constexpr Isa kIsas[] = {Isa::portable, Isa::avx2, Isa::avx512};
constexpr int kThreads[] = {1, 2, 5};
constexpr float kUntouched = -12345.0f;

std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : kIsas) {
    if (available(isa)) isas.push_back(isa);
  }
  return isas;
}

/// A fixed sequence of numbers in [-1, 1).
class Numbers {
 public:
  explicit Numbers(uint32_t seed) : state_(seed * 2654435761u + 1u) {}
  uint32_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return state_;
  }
  float next_float() { return static_cast<float>(next() >> 8) * 0x1p-23f - 1.0f; }

 private:
  uint32_t state_;
};

/// A matrix with memory of its own and a gap behind every row.
struct Stored {
  std::vector<float> memory;
  Matrix view;

  Stored(int64_t rows, int64_t cols, int64_t gap, Numbers& numbers)
      : memory(static_cast<size_t>(rows * (cols + gap) + 1), kUntouched), view(memory.data(), rows, cols, cols + gap) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < cols; ++c) view(r, c) = numbers.next_float();
    }
  }
};

struct Shape {
  int64_t m, n, k;
};

struct Options {
  bool transpose_a, transpose_b, gather_a, gather_b, accumulate, column_add;

  static Options from_bits(int bits) {
    return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, (bits & 16) != 0, (bits & 32) != 0};
  }
};
constexpr int kOptionBits = 64;

/// A product with its factors, and what it must give.
struct Case {
  Shape shape;
  std::vector<Stored> stored;  // A, B, C before
  std::vector<int32_t> rows_a, rows_b;
  std::vector<float> column_add;
  Factor a, b;
  Epilogue epilogue;
  std::vector<double> expected, tolerance;  // [m, n]

  Case(Shape shape_, const Options& options, uint32_t seed) : shape(shape_) {
    Numbers numbers(seed);
    stored.reserve(3);
    a = make_factor(shape.m, shape.k, options.transpose_a, options.gather_a, 3, rows_a, numbers);
    b = make_factor(shape.k, shape.n, options.transpose_b, options.gather_b, 5, rows_b, numbers);
    stored.emplace_back(shape.m, shape.n, 7, numbers);
    epilogue.accumulate = options.accumulate;
    for (int64_t j = 0; j < shape.n; ++j) column_add.push_back(numbers.next_float());
    if (options.column_add) epilogue.column_add = column_add.data();
    compute_expected();
  }

  static float element(const Factor& factor, int64_t r, int64_t c) {
    if (factor.transposed) std::swap(r, c);
    return factor.stored(factor.gathered != nullptr ? factor.gathered[r] : r, c);
  }

  /// A fresh C; `result` is its view.
  std::vector<float> fresh_c(Matrix& result) const {
    std::vector<float> memory = stored[2].memory;
    result = stored[2].view;
    result.data = memory.data();
    return memory;
  }

 private:
  Factor make_factor(int64_t rows, int64_t cols, bool transpose, bool gather, int64_t gap, std::vector<int32_t>& which,
                     Numbers& numbers) {
    if (transpose) std::swap(rows, cols);
    // Gathered rows come from a larger table, in no order and with repeats.
    const int64_t table_rows = gather ? rows / 2 + 3 : rows;
    stored.emplace_back(table_rows, cols, gap, numbers);
    Factor factor;
    factor.stored = stored.back().view;
    factor.transposed = transpose;
    if (gather) {
      for (int64_t r = 0; r < rows; ++r) {
        which.push_back(static_cast<int32_t>(numbers.next() % static_cast<uint32_t>(table_rows)));
      }
      which.push_back(-1);  // never to be read; keeps the pointer from being null without rows
      factor.gathered = which.data();
      factor.gathered_rows = rows;
    }
    return factor;
  }

  void compute_expected() {
    for (int64_t i = 0; i < shape.m; ++i) {
      for (int64_t j = 0; j < shape.n; ++j) {
        double sum = 0.0, size = 0.0;
        for (int64_t p = 0; p < shape.k; ++p) {
          const double term = static_cast<double>(element(a, i, p)) * static_cast<double>(element(b, p, j));
          sum += term;
          size += std::fabs(term);
        }
        for (const double extra : {epilogue.accumulate ? static_cast<double>(stored[2].view(i, j)) : 0.0,
                                   epilogue.column_add != nullptr ? static_cast<double>(column_add[j]) : 0.0}) {
          sum += extra;
          size += std::fabs(extra);
        }
        expected.push_back(sum);
        // Every one of the roundings loses at most half a unit of the terms so far.
        tolerance.push_back(static_cast<double>(2 * shape.k + 2) * 0x1p-24 * size);
      }
    }
  }
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// Every element within its tolerance (the worst is printed), and the gaps behind the rows as they were.
void check_result(const Case& test, Matrix c) {
  int64_t worst = 0;
  double worst_ratio = 0.0;
  bool gaps_untouched = true;
  for (int64_t i = 0; i < c.rows; ++i) {
    for (int64_t j = 0; j < c.cols; ++j) {
      const int64_t at = i * c.cols + j;
      const double error = std::fabs(test.expected[static_cast<size_t>(at)] - static_cast<double>(c(i, j)));
      const double allowed = test.tolerance[static_cast<size_t>(at)];
      const double ratio = error <= allowed ? error / std::max(allowed, 1e-300) : 1.0 + error;
      if (ratio > worst_ratio || std::isnan(error)) {
        worst = at;
        worst_ratio = ratio;
      }
    }
    for (int64_t j = c.cols; j < c.stride && i + 1 < c.rows; ++j) gaps_untouched &= c.row(i)[j] == kUntouched;
  }
  CHECK(gaps_untouched);
  if (c.empty()) return;
  const test::Context at("element " + std::to_string(worst / c.cols) + ", " + std::to_string(worst % c.cols));
  CHECK_NEAR(test.expected[static_cast<size_t>(worst)], c(worst / c.cols, worst % c.cols),
             test.tolerance[static_cast<size_t>(worst)]);
}

std::string describe(const Shape& shape, int bits) {
  return std::to_string(shape.m) + " x " + std::to_string(shape.n) + " x " + std::to_string(shape.k) + ", options " +
         std::to_string(bits);
}

struct Engine {
  Isa isa;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<Gemm> gemm;
};

std::vector<Engine> make_engines() {
  std::vector<Engine> engines;
  for (const Isa isa : available_isas()) {
    for (const int threads : kThreads) {
      auto pool = std::make_unique<ThreadPool>(threads);
      auto gemm = std::make_unique<Gemm>(isa, *pool);
      engines.push_back({isa, std::move(pool), std::move(gemm)});
    }
  }
  return engines;
}

/// The product on every engine: near the expected, and the same bits for every number of threads.
void check_everywhere(const std::vector<Engine>& engines, const Shape& shape, int bits) {
  const Case test(shape, Options::from_bits(bits), static_cast<uint32_t>(shape.m * 31 + shape.n * 17 + shape.k + bits));
  const test::Context context(describe(shape, bits));
  std::vector<float> first;
  for (const Engine& engine : engines) {
    const test::Context on(std::string(name(engine.isa)) + ", threads " + std::to_string(engine.pool->threads()));
    Matrix c;
    std::vector<float> parallel = test.fresh_c(c);
    engine.gemm->multiply(test.a, test.b, test.epilogue, c);
    if (engine.pool->threads() == kThreads[0]) {
      check_result(test, c);
      first = parallel;
    }
    CHECK(same_bits(first, parallel));
    const std::vector<float> serial = test.fresh_c(c);
    engine.gemm->multiply_serial(test.a, test.b, test.epilogue, c, engine.pool->threads() - 1);
    CHECK(same_bits(first, serial));
  }
}

}  // namespace

TEST_CASE("gemm: small products, every combination of options, agree with float64 and in their bits") {
  const std::vector<Engine> engines = make_engines();
  for (const int64_t m : {0, 1, 31, 33}) {
    for (const int64_t n : {0, 1, 33, 100}) {
      for (const int64_t k : {0, 1, 33}) {
        for (int bits = 0; bits < kOptionBits; ++bits) check_everywhere(engines, {m, n, k}, bits);
      }
    }
  }
}

TEST_CASE("gemm: larger products agree with float64 and in their bits") {
  const std::vector<Engine> engines = make_engines();
  constexpr Shape kShapes[] = {{257, 33, 1000}, {1000, 257, 31}, {1, 1000, 257},  {33, 1, 1000},   {1000, 1, 257},
                               {257, 130, 257}, {32, 100, 2080}, {32, 2080, 100}, {2080, 100, 32}, {5, 7, 3000},
                               {65, 200, 800},  {130, 130, 385}, {1, 1, 1537},    {1, 5000, 100}};
  int shift = 0;
  for (const Shape& shape : kShapes) {
    // All options where it is quick, else one in eight, others for each shape.
    const int step = shape.m * shape.n * shape.k < 1000000 ? 1 : 7;
    for (int bits = shift++ % step; bits < kOptionBits; bits += step) check_everywhere(engines, shape, bits);
  }
}

TEST_CASE("gemm: an element computed alone has the bits that it has in the whole") {
  for (const Shape& shape : {Shape{33, 257, 100}, Shape{32, 100, 2080}, Shape{257, 31, 390}, Shape{2080, 100, 32}}) {
    const Case test(shape, Options::from_bits(2), 7);
    for (const Isa isa : available_isas()) {
      const test::Context context(describe(shape, 2) + ", " + name(isa));
      ThreadPool pool(2);
      Gemm gemm(isa, pool);
      Matrix c;
      const std::vector<float> memory = test.fresh_c(c);
      gemm.multiply(test.a, test.b, {}, c);
      Numbers numbers(11);
      for (int trial = 0; trial < 200; ++trial) {
        const auto i = static_cast<int64_t>(numbers.next()) % shape.m;
        const auto j = static_cast<int32_t>(static_cast<int64_t>(numbers.next()) % shape.n);
        Factor row = test.a, column = test.b;
        row.stored = row.stored.row_range(i, 1);
        column.gathered = &j;
        column.gathered_rows = 1;
        float alone = kUntouched;
        gemm.multiply_serial(row, column, {}, {&alone, 1, 1}, 1);
        CHECK_EQUAL(c(i, j), alone);
      }
    }
  }
}

TEST_CASE("gemm: what is not finite in one row stays in that row") {
  const Case test({33, 100, 40}, Options::from_bits(0), 3);
  for (const Isa isa : available_isas()) {
    const test::Context context(name(isa));
    ThreadPool pool(2);
    Gemm gemm(isa, pool);
    Matrix clean, spoilt;
    const std::vector<float> clean_memory = test.fresh_c(clean), spoilt_memory = test.fresh_c(spoilt);
    gemm.multiply(test.a, test.b, {}, clean);
    std::vector<float> a = test.stored[0].memory;
    Factor factor = test.a;
    factor.stored.data = a.data();
    a[static_cast<size_t>(5 * factor.stored.stride + 2)] = std::numeric_limits<float>::quiet_NaN();
    a[static_cast<size_t>(32 * factor.stored.stride + 9)] = std::numeric_limits<float>::infinity();
    gemm.multiply(factor, test.b, {}, spoilt);
    for (int64_t i = 0; i < spoilt.rows; ++i) {
      for (int64_t j = 0; j < spoilt.cols; ++j) {
        if (i == 5 || i == 32) {
          CHECK(!std::isfinite(spoilt(i, j)));
        } else {
          CHECK_EQUAL(clean(i, j), spoilt(i, j));
        }
      }
    }
  }
}

TEST_CASE("gemm: multiplying allocates nothing") {
  for (const Isa isa : available_isas()) {
    ThreadPool pool(2);
    Gemm gemm(isa, pool);
    for (const Shape& shape : {Shape{32, 2080, 100}, Shape{32, 100, 2080}, Shape{500, 500, 500}}) {
      const Case test(shape, Options::from_bits(8), 5);
      Matrix c;
      const std::vector<float> memory = test.fresh_c(c);
      const int64_t before = allocations.load();
      gemm.multiply(test.a, test.b, {}, c);
      gemm.multiply_serial(test.a, test.b, {}, c, 0);
      CHECK_EQUAL(before, allocations.load());
    }
  }
}

TEST_CASE("gemm: agrees with OpenBLAS") {
  // On this thread: thread sanitizer cannot see how a library without it hands work to its own.
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  void* library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) SKIP("libopenblas.so.0 is not installed (Debian: libopenblas0-pthread)");
  using Sgemm = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float* a,
                         int lda, const float* b, int ldb, float beta, float* c, int ldc);
  const auto sgemm = reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
  CHECK(sgemm != nullptr);
  constexpr int kRowMajor = 101, kAsItIs = 111, kTransposed = 112;
  for (const Shape& shape : {Shape{32, 2080, 100}, Shape{32, 100, 2080}, Shape{257, 300, 1000}}) {
    for (int bits = 0; bits < 4; ++bits) {
      const test::Context context(describe(shape, bits));
      const Case test(shape, Options::from_bits(bits), 9);
      Matrix ours, theirs;
      const std::vector<float> our_memory = test.fresh_c(ours), their_memory = test.fresh_c(theirs);
      sgemm(kRowMajor, test.a.transposed ? kTransposed : kAsItIs, test.b.transposed ? kTransposed : kAsItIs,
            static_cast<int>(shape.m), static_cast<int>(shape.n), static_cast<int>(shape.k), 1.0f, test.a.stored.data,
            static_cast<int>(test.a.stored.stride), test.b.stored.data, static_cast<int>(test.b.stored.stride), 0.0f,
            theirs.data, static_cast<int>(theirs.stride));
      ThreadPool pool(2);
      Gemm gemm(choose_isa(), pool);
      gemm.multiply(test.a, test.b, {}, ours);
      for (int64_t i = 0; i < shape.m; ++i) {
        for (int64_t j = 0; j < shape.n; ++j) {
          CHECK_NEAR(theirs(i, j), ours(i, j), 2 * test.tolerance[static_cast<size_t>(i * shape.n + j)]);
        }
      }
    }
  }
}

}  // namespace gru4rec::cpu
