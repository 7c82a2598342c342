/// What a training step asks of a GPU, counted on the emulated one: `bench_counts EMULATED OUT [configuration ...]`.
/// EMULATED is the build's folder of emulated libraries, with libgru4rec_cuda_traffic.so. Each configuration trains a
/// short epoch and a longer one; what the second has more, divided by its additional steps, is a step. Writes the
/// profiles of both to OUT and prints JSON; scripts/bench/roofline.mjs makes docs/roofline.md of it.

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "backend/registry.h"
#include "core/philox.h"
#include "core/schedule.h"
#include "emulator/emulator.h"
#include "engine/optimiser_state.h"
#include "engine/parameters.h"
#include "engine/trainer.h"
#include "gpu_check/configurations.h"

/// Time stands still for the engine, whose calls of the clock CMakeLists.txt turns to this one: it reads the loss ten
/// times a second, which is once in thousands of steps on a GPU and would be once in every step here.
extern "C" std::chrono::steady_clock::time_point __wrap__ZNSt6chrono3_V212steady_clock3nowEv() { return {}; }

namespace gru4rec {
namespace {

using gpu_check::Configuration;

/// Steps of the epochs: one that makes everything warm, then the two that are counted. The short one fills the cache,
/// and is a whole chunk of the feed; what the long one has besides is one launch.
constexpr int64_t kWarmSteps = 4, kShortSteps = 16, kLongSteps = 24;

/// The functions of the emulator that is loaded with the CUDA back end.
class Emulator {
 public:
  explicit Emulator(const std::string& folder)
      : library_(dlopen((folder + "/libgru4rec_emulator.so").c_str(), RTLD_NOW | RTLD_NOLOAD)) {
    if (library_ == nullptr) throw Error(ErrorCode::device, "Expected the emulator in " + folder);
    find("gru4rec_emulator_read_counters", read_counters);
    find("gru4rec_emulator_reset_counters", reset_counters);
    find("gru4rec_emulator_start_profile", start_profile);
    find("gru4rec_emulator_write_profile", write_profile);
  }

  decltype(&gru4rec_emulator_read_counters) read_counters = nullptr;
  decltype(&gru4rec_emulator_reset_counters) reset_counters = nullptr;
  decltype(&gru4rec_emulator_start_profile) start_profile = nullptr;
  decltype(&gru4rec_emulator_write_profile) write_profile = nullptr;

 private:
  template <class Function>
  void find(const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library_, name));
    if (function == nullptr) throw Error(ErrorCode::device, std::string("Expected the emulator to have ") + name);
  }

  void* library_;
};

/// As many sessions as a mini-batch has rows, each of `steps` + 1 clicks: every step is full. Item i is clicked about
/// as often as 1 / (i + 1).
struct Clicks {
  std::vector<int32_t> items, offsets{0}, order;

  Clicks(int64_t sessions, int64_t items_count, int64_t steps) {
    const RandomStream random = random_stream(7, Purpose::shuffle, static_cast<uint64_t>(steps));
    uint64_t next = 0;
    for (int64_t s = 0; s < sessions; ++s) {
      for (int64_t e = 0; e <= steps; ++e) {
        const double uniform = static_cast<double>(random_word(random, next++)) * 0x1p-32;
        const double item = std::pow(static_cast<double>(items_count), uniform) - 1.0;
        items.push_back(std::min(static_cast<int32_t>(item), static_cast<int32_t>(items_count - 1)));
      }
      offsets.push_back(static_cast<int32_t>(items.size()));
      order.push_back(static_cast<int32_t>(s));
    }
  }
  Sessions sessions() const {
    return {{items.data(), static_cast<int64_t>(items.size())}, {offsets.data(), static_cast<int64_t>(offsets.size())}};
  }
};

void print_counters(const Gru4recEmulatorCounters& counters) {
  const auto print = [](const char* name, uint64_t value) {
    std::printf("\"%s\": %llu, ", name, static_cast<unsigned long long>(value));
  };
  print("launches", counters.launches);
  print("products", counters.products);
  print("graphLaunches", counters.graph_launches);
  print("graphNodes", counters.graph_nodes);
  print("graphDepth", counters.graph_depth);
  print("copies", counters.copies);
  print("bytesToDevice", counters.bytes_to_device);
  print("bytesToHost", counters.bytes_to_host);
  print("synchronisations", counters.synchronisations);
  print("allocations", counters.allocations);
}

void count(const Configuration& configuration, const std::string& emulated, const std::string& out) {
  const auto backend =
      create_backend({"cuda", 0, emulated + "/libgru4rec_cuda_traffic.so", emulated + "/libcublas.so.13"});
  const Emulator emulator(emulated);
  const int64_t items = configuration.model.items, batch = configuration.training.batch;
  TrainingSpec training = configuration.training;
  training.steps_per_launch = 8;  // as a GPU chooses where steps take about 30 microseconds
  Parameters parameters(*backend, configuration.model);
  parameters.initialise({});
  OptimiserState optimiser(parameters, training.optimiser);
  std::vector<uint32_t> support(static_cast<size_t>(items));
  for (size_t i = 0; i < support.size(); ++i) support[i] = static_cast<uint32_t>(1 + 200000 / (i + 1));
  Trainer trainer(parameters, optimiser, training, {support.data(), items});
  const auto train = [&](int64_t steps) {
    const Clicks clicks(batch, items, steps);
    const Progress progress =
        trainer.epoch(clicks.sessions(), {clicks.order.data(), batch}, Cancellation(), [](const Progress&) {
          throw Error(ErrorCode::argument, "Expected no reading of the loss within an epoch: the clock goes on");
        });
    if (progress.steps != steps)
      throw Error(ErrorCode::argument,
                  "Expected " + std::to_string(steps) + " steps but there were " + std::to_string(progress.steps));
  };
  train(kWarmSteps);

  std::printf("{\"name\": \"%s\", \"hidden\": %lld, \"batch\": %lld, \"samples\": %lld, \"items\": %lld, ",
              configuration.name.c_str(), static_cast<long long>(configuration.model.hidden()),
              static_cast<long long>(batch), static_cast<long long>(training.samples), static_cast<long long>(items));
  std::printf("\"loss\": \"%s\", \"epochs\": [",
              training.loss.kind == LossKind::cross_entropy ? "cross-entropy" : "bpr-max");
  for (const int64_t steps : {kShortSteps, kLongSteps}) {
    const std::string profile = out + "/" + configuration.name + "-" + std::to_string(steps) + ".json";
    emulator.reset_counters();
    emulator.start_profile();
    train(steps);
    Gru4recEmulatorCounters counters;
    emulator.read_counters(&counters);
    emulator.write_profile(profile.c_str());
    std::printf("{\"steps\": %lld, ", static_cast<long long>(steps));
    print_counters(counters);
    std::printf("\"profile\": \"%s\"}%s", profile.c_str(), steps == kLongSteps ? "]}" : ", ");
  }
}

}  // namespace
}  // namespace gru4rec

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "Expected bench_counts EMULATED OUT [configuration ...]\n");
    return 2;
  }
  try {
    const char* separator = "[";
    for (const auto& configuration : gru4rec::gpu_check::published_configurations()) {
      const auto wanted = [&](const char* name) { return configuration.name == name; };
      if (argc > 3 && std::none_of(argv + 3, argv + argc, wanted)) continue;
      std::printf("%s", separator);
      gru4rec::count(configuration, argv[1], argv[2]);
      std::fflush(stdout);
      separator = ",\n";
    }
    std::printf("]\n");
  } catch (const gru4rec::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
