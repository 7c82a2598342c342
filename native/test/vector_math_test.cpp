#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "backends/cpu/isa.h"
#include "check.h"
#include "vector_math/functions.h"

namespace gru4rec::cpu {

namespace {

struct Build {
  Isa isa;
  const VectorFunctions* functions;
};

std::vector<Build> available_builds() {
  std::vector<Build> builds = {{Isa::portable, &portable::kVectorFunctions}};
#if defined(__x86_64__)
  if (available(Isa::avx2)) builds.push_back({Isa::avx2, &avx2::kVectorFunctions});
  if (available(Isa::avx512)) builds.push_back({Isa::avx512, &avx512::kVectorFunctions});
#endif
  return builds;
}

double exact_exp(double x) { return std::exp(x); }
double exact_exp_minus_1(double x) { return std::expm1(x); }
double exact_log(double x) { return std::log(x); }
double exact_sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
double exact_tanh(double x) { return std::tanh(x); }
double exact_softplus(double x) { return x > 0.0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

struct Tested {
  const char* name;
  VectorFunctions::Function VectorFunctions::*function;
  double (*exact)(double);
  double bound;  ///< in units in the last place, as vector_math.h states it
};

constexpr Tested kTested[] = {{"exp", &VectorFunctions::exp, exact_exp, 1.0},
                              {"exp_minus_1", &VectorFunctions::exp_minus_1, exact_exp_minus_1, 4.0},
                              {"log", &VectorFunctions::log, exact_log, 1.0},
                              {"sigmoid", &VectorFunctions::sigmoid, exact_sigmoid, 3.0},
                              {"tanh", &VectorFunctions::tanh, exact_tanh, 2.0},
                              {"softplus", &VectorFunctions::softplus, exact_softplus, 3.0}};

/// Error in units in the last place of a float near `exact`; 0 where both are NaN or the same infinity.
double error_in_ulp(double exact, float received) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (std::isnan(exact)) return std::isnan(received) ? 0.0 : kInfinity;
  const float rounded = static_cast<float>(exact);
  if (std::isinf(rounded)) return received == rounded ? 0.0 : kInfinity;
  if (!std::isfinite(received)) return kInfinity;
  int exponent;
  std::frexp(exact, &exponent);
  return std::fabs(exact - static_cast<double>(received)) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

TEST_CASE("vector math: the errors stay within their bounds for floats of every size") {
  // A prime step through all bit patterns: every exponent, both signs, NaN with and without payload.
  constexpr uint64_t kStep = 2999, kPatterns = uint64_t{1} << 32;
  std::vector<float> x;
  for (uint64_t bits = 0; bits < kPatterns; bits += kStep) x.push_back(float_of(static_cast<uint32_t>(bits)));
  // Where the functions bend, all are dense: steps of 2^-16 in [-20, 20].
  for (int i = -20 * 65536; i <= 20 * 65536; ++i) x.push_back(static_cast<float>(i) * 0x1p-16f);
  const auto n = static_cast<int64_t>(x.size());
  std::vector<float> received(x.size());
  for (const Tested& tested : kTested) {
    std::vector<double> exact;
    for (const float value : x) exact.push_back(tested.exact(static_cast<double>(value)));
    for (const Build& build : available_builds()) {
      const test::Context context(std::string(tested.name) + ", " + name(build.isa));
      (build.functions->*tested.function)(x.data(), n, received.data());
      double worst = 0.0;
      size_t at = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const double error = error_in_ulp(exact[i], received[i]);
        if (error > worst) {
          worst = error;
          at = i;
        }
      }
      const test::Context where("x = " + test::show(x[at]));
      CHECK_NEAR(0.0, worst, tested.bound);
    }
  }
}

TEST_CASE("vector math: infinities, zeros and NaN give what they must") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  struct Expectation {
    VectorFunctions::Function VectorFunctions::*function;
    float x, expected;
  };
  const Expectation expectations[] = {{&VectorFunctions::exp, kInfinity, kInfinity},
                                      {&VectorFunctions::exp, -kInfinity, 0.0f},
                                      {&VectorFunctions::exp, 0.0f, 1.0f},
                                      {&VectorFunctions::exp, -0.0f, 1.0f},
                                      {&VectorFunctions::log, kInfinity, kInfinity},
                                      {&VectorFunctions::log, 0.0f, -kInfinity},
                                      {&VectorFunctions::log, -0.0f, -kInfinity},
                                      {&VectorFunctions::log, 1.0f, 0.0f},
                                      {&VectorFunctions::log, -1.0f, nan},
                                      {&VectorFunctions::log, -kInfinity, nan},
                                      {&VectorFunctions::sigmoid, kInfinity, 1.0f},
                                      {&VectorFunctions::sigmoid, -kInfinity, 0.0f},
                                      {&VectorFunctions::sigmoid, 0.0f, 0.5f},
                                      {&VectorFunctions::tanh, kInfinity, 1.0f},
                                      {&VectorFunctions::tanh, -kInfinity, -1.0f},
                                      {&VectorFunctions::tanh, 0.0f, 0.0f},
                                      {&VectorFunctions::softplus, kInfinity, kInfinity},
                                      {&VectorFunctions::softplus, -kInfinity, 0.0f}};
  for (const Build& build : available_builds()) {
    const test::Context context(name(build.isa));
    for (const Expectation& e : expectations) {
      float received = 0.0f;
      (build.functions->*e.function)(&e.x, 1, &received);
      CHECK_NEAR(e.expected, received, 0.0);
    }
    for (const Tested& tested : kTested) {
      float received = 0.0f;
      (build.functions->*tested.function)(&nan, 1, &received);
      CHECK(std::isnan(received));
    }
  }
}

TEST_CASE("vector math: a value does not depend on its place in the row, and nothing beyond the row is touched") {
  constexpr float kUntouched = 77.0f;
  for (const Build& build : available_builds()) {
    for (const Tested& tested : kTested) {
      const test::Context context(std::string(tested.name) + ", " + name(build.isa));
      for (const int64_t n : {1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33}) {
        std::vector<float> x, row(static_cast<size_t>(n) + 1, kUntouched);
        for (int64_t i = 0; i < n; ++i) x.push_back(0.37f * static_cast<float>(i) + 0.01f);
        (build.functions->*tested.function)(x.data(), n, row.data());
        CHECK_EQUAL(kUntouched, row[static_cast<size_t>(n)]);
        for (int64_t i = 0; i < n; ++i) {
          float alone = 0.0f;
          (build.functions->*tested.function)(&x[static_cast<size_t>(i)], 1, &alone);
          CHECK_EQUAL(alone, row[static_cast<size_t>(i)]);
        }
      }
    }
  }
}

TEST_CASE("vectors: sum and largest lane see every lane") {
  for (const Build& build : available_builds()) {
    const test::Context context(name(build.isa));
    const auto lanes = static_cast<size_t>(build.functions->lanes);
    std::vector<float> x(lanes);
    for (size_t i = 0; i < lanes; ++i) x[i] = static_cast<float>(1 << i);
    CHECK_EQUAL(static_cast<float>((1 << lanes) - 1), build.functions->sum(x.data()));
    for (size_t i = 0; i < lanes; ++i) {
      std::vector<float> one(lanes, -5.0f);
      one[i] = -2.0f;
      CHECK_EQUAL(-2.0f, build.functions->max_lane(one.data()));
    }
  }
}

}  // namespace gru4rec::cpu
