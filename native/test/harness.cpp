#include "harness.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "backends/cpu/isa.h"

/// Paths of the emulated libraries, from the build; empty where they are not built.
#ifndef GRU4REC_EMULATED_CUDA
#define GRU4REC_EMULATED_CUDA ""
#define GRU4REC_EMULATED_CUBLAS ""
#endif

namespace gru4rec::test {

namespace {

constexpr const char* kIsaVariable = "GRU4REC_ISA";
/// The data of the tests are near 1: to know a number to half of this says something even where it is 0.
constexpr double kNearZero = 1e-4;

std::string environment(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr ? value : otherwise;
}

BackendChoice cpu_choice(cpu::Isa isa) {
  BackendChoice choice;
  choice.options.device = "cpu";
  choice.options.threads = 2;
  choice.isa = cpu::name(isa);
  return choice;
}

/// What test_only_on named.
std::optional<BackendChoice>& only_choice() {
  static std::optional<BackendChoice> choice;
  return choice;
}

void run(void (*body)(Backend&), Backend& backend) {
  const Context context(backend.description());
  body(backend);
}

}  // namespace

void test_only_on(const DeviceOptions& options) { only_choice() = BackendChoice{options, ""}; }

std::vector<BackendChoice> cpu_choices() {
  std::vector<BackendChoice> choices;
  for (const cpu::Isa isa : {cpu::Isa::portable, cpu::Isa::avx2, cpu::Isa::avx512})
    if (cpu::available(isa)) choices.push_back(cpu_choice(isa));
  return choices;
}

std::vector<BackendChoice> backend_choices() {
  if (only_choice()) return {*only_choice()};
  const std::string device = environment("GRU4REC_TEST_DEVICE", "");
  std::vector<BackendChoice> choices;
  if (device != "cuda") choices = cpu_choices();
  const std::string named = environment("GRU4REC_CUDA_LIBRARY", "");
  BackendChoice cuda;
  cuda.options.device = "cuda";
  cuda.options.cuda_library = named.empty() ? GRU4REC_EMULATED_CUDA : named;
  cuda.options.cublas_path = named.empty() ? GRU4REC_EMULATED_CUBLAS : "";
  if (!cuda.options.cuda_library.empty() && device != "cpu") choices.push_back(cuda);
  return choices;
}

std::unique_ptr<Backend> make_backend(const BackendChoice& choice) {
  const char* before = std::getenv(kIsaVariable);
  const std::optional<std::string> kept = before != nullptr ? std::optional<std::string>(before) : std::nullopt;
  if (!choice.isa.empty()) setenv(kIsaVariable, choice.isa.c_str(), 1);
  std::unique_ptr<Backend> backend = create_backend(choice.options);
  if (kept) {
    setenv(kIsaVariable, kept->c_str(), 1);
  } else {
    unsetenv(kIsaVariable);
  }
  return backend;
}

void on_each_backend(void (*body)(Backend&)) {
  static std::vector<std::unique_ptr<Backend>> backends;
  if (backends.empty())
    for (const BackendChoice& choice : backend_choices()) backends.push_back(make_backend(choice));
  for (const std::unique_ptr<Backend>& backend : backends) run(body, *backend);
}

void on_each_product(void (*body)(Backend&)) {
  on_each_backend(body);
  for (BackendChoice choice : backend_choices()) {
    if (choice.options.device.rfind("cuda", 0) != 0) continue;
    choice.options.cublas_path = "none";
    run(body, *make_backend(choice));
  }
}

const std::vector<NamedActivation>& elementwise_activations() {
  static const std::vector<NamedActivation> activations{
      {"linear", {ActivationKind::linear, 1.0f, 1.0f}},
      {"relu", {ActivationKind::relu, 1.0f, 1.0f}},
      {"tanh", {ActivationKind::tanh, 1.0f, 1.0f}},
      {"leaky-0.1", {ActivationKind::leaky, 0.1f, 1.0f}},
      {"leaky-0", {ActivationKind::leaky, 0.0f, 1.0f}},
      {"elu-0.5", {ActivationKind::elu, 0.5f, 1.0f}},
      {"elu-0", {ActivationKind::elu, 0.0f, 1.0f}},
      {"selu-1.0507-1.67326", {ActivationKind::selu, 1.67326f, 1.0507f}},
      {"selu-0.5-2", {ActivationKind::selu, 2.0f, 0.5f}},
  };
  return activations;
}

void check_numbers(const char* file, int line, const char* what, const std::vector<Number>& expected,
                   const std::vector<float>& received) {
  check_equal(file, line, what, expected.size(), received.size());
  if (expected.size() != received.size()) return;
  double largest = kNearZero;
  for (const Number& number : expected)
    if (std::isfinite(number.value)) largest = std::max(largest, std::abs(number.value));
  size_t vague = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double tolerance = kSlack * expected[i].error;
    if (!(tolerance <= 0.5 * largest)) ++vague;
    count_comparison();
    if (!is_near(expected[i].value, received[i], tolerance))
      fail(file, line,
           std::string(what) + "[" + std::to_string(i) + "]: expected " + show(expected[i].value) + " +- " +
               show(tolerance) + ", received " + show(received[i]));
  }
  if (vague > 1 + expected.size() / 50)
    fail(file, line,
         std::string(what) + ": expected bounds that say something, received " + std::to_string(vague) +
             " vague ones of " + std::to_string(expected.size()));
}

std::string sizes(std::initializer_list<int64_t> numbers) {
  std::string out = "[";
  for (const int64_t number : numbers) out += (out.size() > 1 ? ", " : "") + std::to_string(number);
  return out + "]";
}

}  // namespace gru4rec::test
