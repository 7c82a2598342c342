#include "check.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <vector>

namespace gru4rec::test {

namespace {

constexpr int kFailuresShown = 10;  ///< of each case

struct TestCase {
  const char* name;
  void (*body)();
};

struct State {
  std::vector<TestCase> cases;
  std::vector<std::string> contexts;
  int64_t comparisons = 0;
  int64_t failures = 0;  ///< of the running case
};

/// Made on first use: cases register before main().
State& state() {
  static State state;
  return state;
}

bool wanted(const char* name, int count, char** filters) {
  for (int i = 0; i < count; ++i)
    if (std::strstr(name, filters[i]) != nullptr) return true;
  return count == 0;
}

bool in_ci() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::strcmp(ci, "true") == 0;
}

enum class Outcome { passed, failed, skipped };

Outcome run(const TestCase& test) {
  state().failures = 0;
  const int64_t before = state().comparisons;
  try {
    test.body();
    if (state().comparisons == before) fail("", 0, "expected a comparison, received none");
  } catch (const Skipped& skipped) {
    std::printf("%s %s: %s\n", in_ci() ? "FAILED " : "skipped", test.name, skipped.reason.c_str());
    return in_ci() ? Outcome::failed : Outcome::skipped;
  } catch (const std::exception& error) {
    fail("", 0, std::string("expected no exception, received ") + error.what());
  }
  if (state().failures == 0) return Outcome::passed;
  std::printf("FAILED  %s: %lld comparisons\n", test.name, static_cast<long long>(state().failures));
  return Outcome::failed;
}

}  // namespace

Registration::Registration(const char* name, void (*body)()) { state().cases.push_back({name, body}); }

void count_comparison() { ++state().comparisons; }

void fail(const char* file, int line, const std::string& message) {
  if (++state().failures > kFailuresShown) return;
  const char* base = std::strrchr(file, '/');
  std::printf(" ");
  if (line > 0) std::printf(" %s:%d", base != nullptr ? base + 1 : file, line);
  for (const std::string& context : state().contexts) std::printf(" [%s]", context.c_str());
  std::printf(" %s\n", message.c_str());
  if (std::getenv("GRU4REC_TEST_STOP") != nullptr) {
    std::fflush(stdout);
    std::_Exit(1);
  }
}

bool is_near(double expected, double received, double tolerance) {
  if (std::isnan(expected) || std::isnan(received)) return std::isnan(expected) && std::isnan(received);
  return expected == received || std::abs(expected - received) <= tolerance;
}

Context::Context(std::string what) { state().contexts.push_back(std::move(what)); }

Context::~Context() {
  // An exception that ends the case is reported after its contexts are gone: say here where it came from.
  if (std::uncaught_exceptions() > 0) std::printf("  while [%s]\n", state().contexts.back().c_str());
  state().contexts.pop_back();
}

void check_near(const char* file, int line, const char* what, double expected, double received, double tolerance) {
  count_comparison();
  if (!is_near(expected, received, tolerance))
    fail(
        file, line,
        std::string(what) + ": expected " + show(expected) + " +- " + show(tolerance) + ", received " + show(received));
}

}  // namespace gru4rec::test

int main(int argc, char** argv) {
  using namespace gru4rec::test;
  int64_t passed = 0, failed = 0, skipped = 0;
  for (const TestCase& test : state().cases) {
    if (!wanted(test.name, argc - 1, argv + 1)) continue;
    const Outcome outcome = run(test);
    ++(outcome == Outcome::passed ? passed : outcome == Outcome::failed ? failed : skipped);
  }
  std::printf("%lld comparisons\n", static_cast<long long>(state().comparisons));
  std::printf("%lld passed, %lld failed, %lld skipped\n", static_cast<long long>(passed),
              static_cast<long long>(failed), static_cast<long long>(skipped));
  return failed == 0 && passed + skipped > 0 ? 0 : 1;
}
