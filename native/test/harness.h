#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/array.h"
#include "backend/registry.h"
#include "check.h"
#include "reference/number.h"
#include "reference/table.h"

/// What the tests of operations share: the back ends, guarded memory on them, data, and comparisons with the reference.
namespace gru4rec::test {

using reference::Number;
using reference::Table;

// --- Back ends ------------------------------------------------------------------------------------------------------

/// A back end to test.
struct BackendChoice {
  DeviceOptions options;
  std::string isa;  ///< value of GRU4REC_ISA while it is made; empty = not set
};

/// Every back end of this machine: the CPU's once for each instruction set, and CUDA's with the library that
/// GRU4REC_CUDA_LIBRARY names, else with the emulated one where the build made it, and with cuBLAS, which is emulated
/// with it. GRU4REC_TEST_DEVICE=cpu or =cuda leaves out the other.
std::vector<BackendChoice> backend_choices();
/// Makes `options` the only back end of the cases. To be called before the first of them.
void test_only_on(const DeviceOptions& options);
/// The CPU's back ends, whatever GRU4REC_TEST_DEVICE says.
std::vector<BackendChoice> cpu_choices();
/// Makes one; GRU4REC_ISA is left as it was.
std::unique_ptr<Backend> make_backend(const BackendChoice& choice);
/// Runs `body` on each of backend_choices(), which are made once and kept.
void on_each_backend(void (*body)(Backend&));
/// As on_each_backend, and on CUDA's with products of its own.
void on_each_product(void (*body)(Backend&));

#define GRU_TEST_ON(on_each, name)                                                        \
  static void GRU_TEST_JOIN(test_operation_, __LINE__)(::gru4rec::Backend & backend);     \
  static const ::gru4rec::test::Registration GRU_TEST_JOIN(test_registration_, __LINE__)( \
      name, [] { ::gru4rec::test::on_each(GRU_TEST_JOIN(test_operation_, __LINE__)); },   \
      ::gru4rec::test::CaseKind::operation);                                              \
  static void GRU_TEST_JOIN(test_operation_, __LINE__)(::gru4rec::Backend & backend)

/// A case that runs on every back end: its body sees `Backend& backend`.
#define OPERATION_TEST(name) GRU_TEST_ON(on_each_backend, name)
/// The same for an operation made of products of matrices: it runs on every product, too.
#define PRODUCT_TEST(name) GRU_TEST_ON(on_each_product, name)

// --- Memory ---------------------------------------------------------------------------------------------------------

/// Elements on each side of device memory that nothing may write. None under AddressSanitizer, which guards better.
#if defined(__SANITIZE_ADDRESS__)
constexpr int64_t kMargin = 0;
#else
constexpr int64_t kMargin = 16;
#endif

/// A byte pattern of memory that no operation may read or write: as a float a NaN, as an integer a huge item.
constexpr unsigned char kGuard = 0x7F;

/// `size` elements on a back end, between guarded margins.
template <class T>
class DeviceVector {
 public:
  DeviceVector(Backend& backend, int64_t size) : DeviceVector(backend, guarded(size)) {}
  DeviceVector(Backend& backend, const std::vector<T>& contents)
      : size_(static_cast<int64_t>(contents.size())), memory_(backend, size_ + 2 * kMargin) {
    upload(contents);
  }

  Span<T> span() const { return {memory_.data() + kMargin, size_}; }
  T* data() const { return memory_.data() + kMargin; }
  int64_t size() const { return size_; }

  void upload(const std::vector<T>& contents) {
    std::vector<T> host = guarded(size_ + 2 * kMargin);
    for (int64_t i = 0; i < size_; ++i) host[kMargin + i] = contents[i];
    if (!host.empty()) memory_.upload({host.data(), static_cast<int64_t>(host.size())});
  }

  /// The contents, after a look at the margins.
  std::vector<T> download() const {
    std::vector<T> host(size_ + 2 * kMargin);
    if (!host.empty()) memory_.download({host.data(), static_cast<int64_t>(host.size())});
    bool intact = true;
    for (int64_t i = 0; i < kMargin; ++i) intact = intact && is_guard(host[i]) && is_guard(host[kMargin + size_ + i]);
    CHECK(intact && "margins");
    return std::vector<T>(host.begin() + kMargin, host.begin() + kMargin + size_);
  }

 private:
  static std::vector<T> guarded(int64_t size) {
    std::vector<T> host(size);
    if (size > 0) std::memset(static_cast<void*>(host.data()), kGuard, size * sizeof(T));
    return host;
  }
  static bool is_guard(const T& element) {
    T guard;
    std::memset(static_cast<void*>(&guard), kGuard, sizeof(T));
    return std::memcmp(&guard, &element, sizeof(T)) == 0;
  }

  int64_t size_;
  Array<T> memory_;
};

/// A matrix on a back end with `gap` guarded elements behind each row.
template <class T>
class DeviceMatrixOf {
 public:
  /// Contents are guards: whatever an operation does not write, it must not read.
  DeviceMatrixOf(Backend& backend, int64_t rows, int64_t cols, int64_t gap = 0)
      : rows_(rows), cols_(cols), stride_(cols + gap), memory_(backend, rows * stride_) {}
  DeviceMatrixOf(Backend& backend, const Table<T>& contents, int64_t gap = 0)
      : DeviceMatrixOf(backend, contents.rows, contents.cols, gap) {
    upload(contents);
  }

  MatrixView<T> view() const { return {memory_.data(), rows_, cols_, stride_}; }
  operator MatrixView<T>() const { return view(); }        // NOLINT(google-explicit-constructor)
  operator MatrixView<const T>() const { return view(); }  // NOLINT(google-explicit-constructor)

  /// Replaces the contents, not the gaps.
  void upload(const Table<T>& contents) {
    std::vector<T> host = memory_.download();
    for (int64_t r = 0; r < rows_; ++r)
      for (int64_t c = 0; c < cols_; ++c) host[r * stride_ + c] = contents(r, c);
    memory_.upload(host);
  }

  /// The contents, after a look at the gaps.
  Table<T> download() const {
    const std::vector<T> host = memory_.download();
    Table<T> contents(rows_, cols_);
    std::vector<T> gap(stride_ - cols_);
    if (!gap.empty()) std::memset(static_cast<void*>(gap.data()), kGuard, gap.size() * sizeof(T));
    bool intact = true;
    for (int64_t r = 0; r < rows_; ++r) {
      for (int64_t c = 0; c < cols_; ++c) contents(r, c) = host[r * stride_ + c];
      if (!gap.empty())
        intact = intact && std::memcmp(gap.data(), &host[r * stride_ + cols_], gap.size() * sizeof(T)) == 0;
    }
    CHECK(intact && "gaps");
    return contents;
  }

 private:
  int64_t rows_, cols_, stride_;
  DeviceVector<T> memory_;
};

using DeviceMatrix = DeviceMatrixOf<float>;

// --- Data -----------------------------------------------------------------------------------------------------------

/// Sizes at which tails, empty loops and blocks of 32 and 256 show.
constexpr int64_t kSizes[] = {0, 1, 31, 33, 257};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// What a test goes through: `all`, or `some` of it under a sanitizer. That looks at how code runs, not at what comes
/// out, and makes emulated kernels up to thirty times slower. So `some` must still lead through each kernel, path and
/// tail once; what runs alike but for its numbers is left to the plain build.
template <class T>
T unless_sanitized(T all, T some) {
  return kSanitized ? some : all;
}

/// Random data of a test, the same on every machine.
class Data {
 public:
  explicit Data(uint64_t seed) : engine_(seed) {}

  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 11) * 0x1p-53;
  }
  /// From low to high, both included.
  int64_t integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
  }
  /// Elements from -bound to bound.
  Table<float> table(int64_t rows, int64_t cols, double bound) {
    Table<float> out(rows, cols);
    for (float& v : out.data) v = static_cast<float>(uniform(-bound, bound));
    return out;
  }
  /// Multiples of 1/4 from -levels/4 to levels/4: products and sums of a few hundred are exact in float32, and equal
  /// ones are common.
  Table<float> quantised(int64_t rows, int64_t cols, int64_t levels) {
    Table<float> out(rows, cols);
    for (float& v : out.data) v = static_cast<float>(integer(-levels, levels)) * 0.25f;
    return out;
  }
  /// Items below `bound`; the lower half is three times as likely, so that there are repeats.
  std::vector<int32_t> items(int64_t count, int64_t bound) {
    std::vector<int32_t> out(count);
    for (int32_t& item : out) item = static_cast<int32_t>(integer(0, integer(0, 1) == 0 ? bound - 1 : (bound - 1) / 2));
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

/// The activations of single values, with parameters; a slope of 0 below 0 is a case of its own.
struct NamedActivation {
  std::string name;
  Activation activation;
};
const std::vector<NamedActivation>& elementwise_activations();

// --- Comparisons ----------------------------------------------------------------------------------------------------

/// The bound of a Number is of first order and for one way to write a formula. Twice of it covers the others.
constexpr double kSlack = 2.0;

/// Each element is within kSlack times the error of its Number. Fails as well when more than one element in fifty has
/// an error that would let half of the largest element pass: such a comparison says nothing.
void check_numbers(const char* file, int line, const char* what, const std::vector<Number>& expected,
                   const std::vector<float>& received);
/// The same bits, element by element.
template <class T>
void check_bits(const char* file, int line, const char* what, const std::vector<T>& expected,
                const std::vector<T>& received) {
  check_equal(file, line, what, expected.size(), received.size());
  for (size_t i = 0; i < expected.size() && i < received.size(); ++i) {
    count_comparison();
    if (std::memcmp(&expected[i], &received[i], sizeof(T)) != 0)
      fail(file, line,
           std::string(what) + "[" + std::to_string(i) + "]: expected " + show(expected[i]) + ", received " +
               show(received[i]));
  }
}

#define CHECK_NUMBERS(expected, received) \
  ::gru4rec::test::check_numbers(__FILE__, __LINE__, #received, expected, received)
#define CHECK_BITS(expected, received) ::gru4rec::test::check_bits(__FILE__, __LINE__, #received, expected, received)

/// [1, 31] and the like.
std::string sizes(std::initializer_list<int64_t> numbers);

}  // namespace gru4rec::test
