#pragma once

#include <cstdint>
#include <functional>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

/// The smallest test runner that does the job. A file of tests registers its cases with
///
///     TEST_CASE("softmax: rows sum to one") { CHECK_NEAR(1.0, sum, 1e-6); }
///
/// and is linked with main.cpp, whose arguments are any number of substrings of case names: only cases that contain one
/// of them run. Its last line is `N passed, N failed, N skipped`; its exit status is 1 when a case failed or none ran.
/// A program with another main() (native/gpu_check) calls run_cases. A case that compares nothing fails. With
/// GRU4REC_TEST_STOP set the first failure ends the program.
namespace gru4rec::test {

/// Thrown by SKIP.
struct Skipped {
  std::string reason;
};

/// What a case is about.
enum class CaseKind {
  host,       ///< code that runs whatever the back ends are
  operation,  ///< an operation, on each back end
};

/// Registers a case; used by the macros only.
struct Registration {
  Registration(const char* name, void (*body)(), CaseKind kind = CaseKind::host);
};

/// Which cases to run.
struct CaseFilter {
  std::vector<std::string> parts;   ///< a name contains one of them; empty = every name does
  std::vector<std::string> except;  ///< a name contains none of them
  bool only_operations = false;
  /// Asked before each case; false ends the run. Empty = nothing ends it.
  std::function<bool()> go_on;
};

struct FailedCase {
  std::string name;
  std::string message;  ///< of its first failed comparison, with the context in force
};

struct CaseCounts {
  int64_t passed = 0, failed = 0, skipped = 0;
  int64_t comparisons = 0;
  int64_t left = 0;  ///< wanted, but not begun when go_on ended the run
  std::vector<FailedCase> failures;
};

/// Runs the cases that the program holds, in the order of their registration, and prints what fails.
CaseCounts run_cases(const CaseFilter& filter);

/// Counts one comparison.
void count_comparison();
/// Records a failed comparison of the running case. Prints the first few of a case, with the context in force.
void fail(const char* file, int line, const std::string& message);
/// True when |expected - received| <= tolerance, or both are the same infinity, or both are NaN.
bool is_near(double expected, double received, double tolerance);

/// Says what the comparisons below it are about ("loss=bpr-max M=31"); printed with failures, for as long as it lives.
class Context {
 public:
  explicit Context(std::string what);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

/// A value as failures print it, numbers with all their digits.
template <class T>
std::string show(const T& value) {
  std::ostringstream out;
  out.precision(std::is_same_v<T, float> ? 9 : 17);
  out << value;
  return out.str();
}

template <class A, class B>
void check_equal(const char* file, int line, const char* what, const A& expected, const B& received) {
  count_comparison();
  if (!(expected == received))
    fail(file, line, std::string(what) + ": expected " + show(expected) + ", received " + show(received));
}

void check_near(const char* file, int line, const char* what, double expected, double received, double tolerance);

/// Runs `body` and returns the message of the exception of type E that it threw; fails when it threw none or another.
template <class E, class F>
std::string check_throws(const char* file, int line, const char* what, F&& body) {
  count_comparison();
  try {
    body();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    fail(file, line, std::string(what) + ": expected another exception, received " + error.what());
    return "";
  }
  fail(file, line, std::string(what) + ": expected an exception, received none");
  return "";
}

}  // namespace gru4rec::test

#define GRU_TEST_JOIN_(a, b) a##b
#define GRU_TEST_JOIN(a, b) GRU_TEST_JOIN_(a, b)

#define TEST_CASE(name)                                                                   \
  static void GRU_TEST_JOIN(test_body_, __LINE__)();                                      \
  static const ::gru4rec::test::Registration GRU_TEST_JOIN(test_registration_, __LINE__)( \
      name, GRU_TEST_JOIN(test_body_, __LINE__));                                         \
  static void GRU_TEST_JOIN(test_body_, __LINE__)()

/// The condition holds.
#define CHECK(condition)                                                                                    \
  do {                                                                                                      \
    ::gru4rec::test::count_comparison();                                                                    \
    if (!(condition)) ::gru4rec::test::fail(__FILE__, __LINE__, "expected " #condition ", received false"); \
  } while (false)

/// received == expected.
#define CHECK_EQUAL(expected, received) ::gru4rec::test::check_equal(__FILE__, __LINE__, #received, expected, received)

/// |received - expected| <= tolerance; equal infinities and two NaNs are near each other.
#define CHECK_NEAR(expected, received, tolerance) \
  ::gru4rec::test::check_near(__FILE__, __LINE__, #received, expected, received, tolerance)

/// The statement throws a Type; the value is the message of the exception.
#define CHECK_THROWS(Type, statement) \
  ::gru4rec::test::check_throws<Type>(__FILE__, __LINE__, #statement, [&] { statement; })

/// Ends the case as skipped, or as failed when CI=true: there everything that a test needs is installed.
#define SKIP(reason) \
  throw ::gru4rec::test::Skipped { reason }
