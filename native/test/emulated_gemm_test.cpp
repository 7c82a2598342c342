#include <cuda_runtime.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "backends/cuda/gemm/gemm.h"
#include "backends/cuda/scratch.h"
#include "backends/cuda/staging.h"
#include "backends/cuda_library/workspace.h"
#include "harness.h"

/// The CUDA back end's products by themselves, compiled for the emulator: by the emulated cuBLAS and by the kernel of
/// our own. All transposes, sizes and strides, of which the operations use some only.
namespace gru4rec::test {

namespace {

using namespace reference;

constexpr const char* kOwnProducts = "none";
constexpr const char* kPaths[] = {GRU4REC_EMULATED_CUBLAS, kOwnProducts};

/// A stream with products on it, and matrices in its device's memory.
struct Bench {
  explicit Bench(const char* cublas_path) : gemm(stream, cublas_path) {}

  std::vector<float> download(const float* from, int64_t size) {
    std::vector<float> host(size);
    staging.download(from, size * static_cast<int64_t>(sizeof(float)), host.data(), stream);
    return host;
  }

  cuda::Stream stream;
  cuda::Staging staging;
  cuda::Gemm gemm;
};

/// A matrix on the device, `gap` guards behind each row and one in front, so that it is aligned to 4 bytes only.
class Operand {
 public:
  Operand(Bench& bench, const Table<float>& contents, int64_t gap)
      : bench_(bench), rows_(contents.rows), cols_(contents.cols), stride_(contents.cols + gap), host_(size()) {
    std::memset(host_.data(), kGuard, host_.size() * sizeof(float));
    for (int64_t r = 0; r < rows_; ++r)
      for (int64_t c = 0; c < cols_; ++c) host_[1 + r * stride_ + c] = contents(r, c);
    bench.staging.upload(host_.data(), size() * static_cast<int64_t>(sizeof(float)), memory_.reserve(size()),
                         bench.stream);
  }

  Matrix view() const { return {memory_.data() + 1, rows_, cols_, stride_}; }

  /// The contents, after a look at the guards.
  Table<float> download() {
    const std::vector<float> received = bench_.download(memory_.data(), size());
    Table<float> contents(rows_, cols_);
    std::vector<float> guards = received;
    for (int64_t r = 0; r < rows_; ++r)
      for (int64_t c = 0; c < cols_; ++c) {
        const int64_t place = 1 + r * stride_ + c;
        contents(r, c) = received[place];
        guards[place] = host_[place];
      }
    CHECK(std::memcmp(guards.data(), host_.data(), host_.size() * sizeof(float)) == 0 && "guards");
    return contents;
  }

 private:
  int64_t size() const { return 1 + rows_ * stride_; }

  Bench& bench_;
  int64_t rows_, cols_, stride_;
  std::vector<float> host_;
  cuda::Scratch<float> memory_;
};

Table<float> transposed(const Table<float>& table) {
  Table<float> out(table.cols, table.rows);
  for (int64_t r = 0; r < table.rows; ++r)
    for (int64_t c = 0; c < table.cols; ++c) out(c, r) = table(r, c);
  return out;
}

/// a b, or before + a b where there is a `before`.
Table<Number> product(const Table<float>& a, const Table<float>& b, const Table<float>* before) {
  Table<Number> out(a.rows, b.cols);
  for (int64_t r = 0; r < a.rows; ++r)
    for (int64_t c = 0; c < b.cols; ++c) {
      Number sum;
      for (int64_t k = 0; k < a.cols; ++k) sum = sum + Number(a(r, k)) * Number(b(k, c));
      out(r, c) = before != nullptr ? sum + Number((*before)(r, c)) : sum;
    }
  return out;
}

/// `value` with `bits` of mantissa; ties, which random numbers do not have, go away from zero.
float to_mantissa(float value, int bits) {
  int exponent = 0;
  const double fraction = std::frexp(static_cast<double>(value), &exponent);
  return static_cast<float>(std::ldexp(std::round(std::ldexp(fraction, bits + 1)), exponent - bits - 1));
}

Table<float> to_mantissa(Table<float> table, int bits) {
  for (float& value : table.data) value = to_mantissa(value, bits);
  return table;
}

struct Shape {
  int64_t rows, cols, terms;
};

/// Rows below and above those of the two tiles of the own kernel, tails everywhere, and sizes of zero and one.
constexpr Shape kShapes[] = {{1, 1, 1},     {3, 5, 17},   {32, 64, 16}, {31, 65, 33},  {33, 63, 15}, {65, 129, 47},
                             {128, 64, 32}, {1, 257, 31}, {257, 1, 33}, {100, 130, 1}, {2, 3, 0},    {70, 70, 0},
                             {0, 5, 3},     {5, 0, 3},    {0, 0, 0},    {17, 300, 100}};

}  // namespace

TEST_CASE("products: every transpose, odd strides and addresses, with and without what was there") {
  Data data(1);
  for (const char* path : kPaths) {
    Bench bench(path);
    for (const Shape& shape : kShapes)
      for (int choice = 0; choice < 16; ++choice) {
        const bool a_transposed = choice & 1, b_transposed = choice & 2, accumulate = choice & 4;
        const int64_t gap = choice & 8 ? 3 : 0;
        const Context context(bench.gemm.description() + " " + sizes({shape.rows, shape.cols, shape.terms}) +
                              (a_transposed ? " a^T" : "") + (b_transposed ? " b^T" : "") + (accumulate ? " +=" : "") +
                              (gap > 0 ? " with gaps" : ""));
        const Table<float> a = data.table(shape.rows, shape.terms, 1.0), b = data.table(shape.terms, shape.cols, 1.0);
        // Where it is not added to, it must not be read.
        Table<float> before(shape.rows, shape.cols, std::numeric_limits<float>::quiet_NaN());
        if (accumulate) before = data.table(shape.rows, shape.cols, 1.0);
        const Operand left(bench, a_transposed ? transposed(a) : a, gap);
        const Operand right(bench, b_transposed ? transposed(b) : b, 2 * gap);
        Operand out(bench, before, gap + 1);
        bench.gemm.multiply({left.view(), a_transposed}, {right.view(), b_transposed}, accumulate, out.view());
        CHECK_NUMBERS(product(a, b, accumulate ? &before : nullptr).data, out.download().data);
      }
  }
}

TEST_CASE("products: the distance of a single row's neighbours may be beyond 32 bits") {
  Data data(2);
  const Table<float> a = data.table(1, 40, 1.0), b = data.table(40, 3, 1.0);
  const int64_t far = (int64_t{1} << 32) + 5;
  for (const char* path : kPaths) {
    Bench bench(path);
    const Context context(bench.gemm.description());
    const Operand left(bench, a, 0), right(bench, b, 2);
    Operand out(bench, Table<float>(1, 3), 0);
    Matrix left_view = left.view(), out_view = out.view();
    left_view.stride = out_view.stride = far;
    bench.gemm.multiply({left_view}, {right.view()}, false, out_view);
    CHECK_NUMBERS(product(a, b, nullptr).data, out.download().data);
  }
}

TEST_CASE("products: the result may stand in the columns beside a factor") {
  Data data(3);
  for (const char* path : kPaths) {
    Bench bench(path);
    const Context context(bench.gemm.description());
    const Table<float> a = data.table(33, 20, 1.0), b = data.table(20, 7, 1.0);
    Table<float> joined(33, 27);
    place(a, 0, 0, joined);
    const Operand right(bench, b, 0);
    Operand both(bench, joined, 2);
    bench.gemm.multiply({both.view().col_range(0, 20)}, {right.view()}, false, both.view().col_range(20, 7));
    const Table<float> received = both.download();
    CHECK_BITS(a.data, block(received, 0, 33, 0, 20).data);
    CHECK_NUMBERS(product(a, b, nullptr).data, block(received, 0, 33, 20, 7).data);
  }
}

TEST_CASE("products: float32 rounds no factor, tf32 to 10 bits of mantissa, bf16 to 7") {
  Data data(4);
  const Table<float> a = data.table(33, 70, 1.0), b = data.table(70, 65, 1.0);
  Bench bench(GRU4REC_EMULATED_CUBLAS);
  const Operand left(bench, a, 0), right(bench, b, 0);
  double error_before = 0.0;
  for (const auto& [precision, bits] :
       {std::pair{Precision::float32, 23}, {Precision::tf32, 10}, {Precision::bf16, 7}}) {
    const Context context(name(precision));
    CHECK(bench.gemm.supports(precision));
    bench.gemm.set_precision(precision);
    Operand out(bench, Table<float>(33, 65), 0);
    bench.gemm.multiply({left.view()}, {right.view()}, false, out.view());
    const Table<float> received = out.download();
    CHECK_NUMBERS(product(to_mantissa(a, bits), to_mantissa(b, bits), nullptr).data, received.data);

    // Each factor is off by half a unit of its last bit at most.
    const Table<Number> exact = product(a, b, nullptr);
    double largest = 0.0;
    for (size_t i = 0; i < received.data.size(); ++i)
      largest = std::max(largest, std::abs(received.data[i] - exact.data[i].value));
    CHECK(largest <= 70 * std::ldexp(1.0, -bits) + 1e-4);
    CHECK(largest > 4.0 * error_before);
    error_before = largest;
  }
}

TEST_CASE("products: cuBLAS makes none on a line without a workspace") {
  Bench bench(GRU4REC_EMULATED_CUBLAS);
  const Operand a(bench, Table<float>(1, 1, 2.0f), 0), b(bench, Table<float>(1, 1, 3.0f), 0);
  Operand out(bench, Table<float>(1, 1, 0.0f), 0);
  const auto multiply = [&] { bench.gemm.multiply({a.view()}, {b.view()}, false, out.view()); };
  bench.gemm.use(cuda_library::kProductLines, bench.stream);
  CHECK_THROWS(Error, multiply());
  bench.gemm.use(cuda_library::kProductLines - 1, bench.stream);
  multiply();
  CHECK_EQUAL(6.0f, out.download()(0, 0));
}

TEST_CASE("products: our own give an element the same bits wherever it stands") {
  Data data(5);
  const Table<float> a = data.table(70, 100, 1.0), b = data.table(100, 150, 1.0);
  Bench bench(kOwnProducts);
  const Operand left(bench, a, 0), right(bench, b, 0);
  Operand whole(bench, Table<float>(70, 150), 0);
  bench.gemm.multiply({left.view()}, {right.view()}, false, whole.view());
  const Table<float> expected = whole.download();
  // Few rows are multiplied by tiles of another size.
  for (const auto& [row, rows, col, cols] :
       {std::array<int64_t, 4>{33, 37, 0, 150}, {69, 1, 7, 143}, {20, 32, 140, 1}}) {
    Operand part(bench, Table<float>(rows, cols), 0);
    bench.gemm.multiply({left.view().row_range(row, rows)}, {right.view().col_range(col, cols)}, false, part.view());
    CHECK_BITS(block(expected, row, rows, col, cols).data, part.download().data);
  }
}

TEST_CASE("products: our own know float32 only") {
  const Bench bench(kOwnProducts);
  CHECK_EQUAL("own products", bench.gemm.description());
  CHECK(bench.gemm.supports(Precision::float32));
  CHECK(!bench.gemm.supports(Precision::tf32));
  CHECK(!bench.gemm.supports(Precision::bf16));
}

}  // namespace gru4rec::test
