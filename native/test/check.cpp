#include "check.h"

#include <algorithm>
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
  CaseKind kind;
};

struct State {
  std::vector<TestCase> cases;
  std::vector<std::string> contexts;
  int64_t comparisons = 0;
  int64_t failures = 0;       ///< of the running case
  std::string first_failure;  ///< its first one
};

/// Made on first use: cases register before main().
State& state() {
  static State state;
  return state;
}

bool wanted(const TestCase& test, const CaseFilter& filter) {
  if (filter.only_operations && test.kind != CaseKind::operation) return false;
  const auto contains = [&](const std::string& part) { return std::strstr(test.name, part.c_str()) != nullptr; };
  if (std::any_of(filter.except.begin(), filter.except.end(), contains)) return false;
  return filter.parts.empty() || std::any_of(filter.parts.begin(), filter.parts.end(), contains);
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
    state().first_failure = skipped.reason;
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

Registration::Registration(const char* name, void (*body)(), CaseKind kind) {
  state().cases.push_back({name, body, kind});
}

void count_comparison() { ++state().comparisons; }

void fail(const char* file, int line, const std::string& message) {
  if (++state().failures > kFailuresShown) return;
  const char* base = std::strrchr(file, '/');
  std::string text;
  if (line > 0) text += std::string(base != nullptr ? base + 1 : file) + ":" + std::to_string(line) + " ";
  for (const std::string& context : state().contexts) text += "[" + context + "] ";
  text += message;
  if (state().failures == 1) state().first_failure = text;
  std::printf("  %s\n", text.c_str());
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

CaseCounts run_cases(const CaseFilter& filter) {
  CaseCounts counts;
  const int64_t before = state().comparisons;
  for (const TestCase& test : state().cases) {
    if (!wanted(test, filter)) continue;
    if (filter.go_on && !filter.go_on()) {
      ++counts.left;
      continue;
    }
    const Outcome outcome = run(test);
    ++(outcome == Outcome::passed ? counts.passed : outcome == Outcome::failed ? counts.failed : counts.skipped);
    if (outcome == Outcome::failed) counts.failures.push_back({test.name, state().first_failure});
  }
  counts.comparisons = state().comparisons - before;
  return counts;
}

}  // namespace gru4rec::test
