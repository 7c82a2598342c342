#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <functional>
#include <thread>

#include "gpu_check/configurations.h"
#include "gpu_check/network.h"
#include "gpu_check/stage.h"

/// Same calls, same bits: a training with all that it leaves (parameters, optimiser state, losses, ranks), repeated,
/// with other timing, and beside other work on the device.
namespace gru4rec::gpu_check {

namespace {

struct Case {
  std::string name;
  ModelSpec model;
  TrainingSpec training;
};

/// Between them they use all kernels of training.
std::vector<Case> cases(int64_t items, bool small) {
  std::vector<Case> all;
  for (Configuration configuration : published_configurations()) {
    if (small) configuration = smaller(configuration);
    configuration.model.items = items;
    all.push_back({configuration.name, configuration.model, configuration.training});
  }
  Case other = all.front();
  other.name = "separate, two layers, reset after, adam, gradCap";
  other.model.embedding = EmbeddingMode::separate;
  other.model.embedding_size = 33;
  other.model.layers = {65, 31};
  other.model.reset_after = true;
  other.training.optimiser.kind = OptimiserKind::adam;
  other.training.optimiser.learning_rate = 0.01f;
  other.training.grad_cap = 0.5;
  all.insert(all.begin() + 1, other);
  return all;
}

/// Everything that training leaves, in bits.
std::vector<uint32_t> run(const Case& c, const Log& log, const DeviceOptions& device) {
  Network network(c.model, device);
  Training training(network, c.training, log.train);
  std::vector<double> losses;
  for (int epoch = 0; epoch < 2; ++epoch) losses.push_back(training.epoch().loss);
  std::vector<uint32_t> bits = bits_of(*network.backend, training.tensors());
  const size_t before = bits.size();
  bits.resize(before + losses.size() * sizeof(double) / sizeof(uint32_t));
  std::memcpy(bits.data() + before, losses.data(), losses.size() * sizeof(double));
  for (const double rank : ranks_of(network, log.test, 50)) bits.push_back(static_cast<uint32_t>(2.0 * rank));
  return bits;
}

/// Words that are not the same.
size_t differences(const std::vector<uint32_t>& expected, const std::vector<uint32_t>& received) {
  if (expected.size() != received.size()) return std::max(expected.size(), received.size());
  size_t different = 0;
  for (size_t i = 0; i < expected.size(); ++i) different += expected[i] != received[i];
  return different;
}

/// Rounds in which the other work may do its step.
constexpr int kMostRounds = 20;

/// Trains another model on the device, on a thread and a stream of its own, while it lives.
class OtherWork {
 public:
  OtherWork(const Case& c, const Clicks& clicks, const DeviceOptions& device)
      : network_(c.model, device), training_(network_, c.training, clicks), thread_([this] {
          try {
            while (!stop_) steps_ += training_.epoch().steps;
          } catch (const Error& error) {
            if (error.code() != ErrorCode::aborted) problem_ = error.what();
          }
        }) {}
  ~OtherWork() { end(); }
  OtherWork(const OtherWork&) = delete;
  OtherWork& operator=(const OtherWork&) = delete;

  /// Steps of the epochs that it has ended.
  int64_t steps() const { return steps_; }
  /// Ends it; what went wrong, or empty.
  std::string end() {
    stop_ = true;
    training_.cancel();
    if (thread_.joinable()) thread_.join();
    return problem_;
  }

 private:
  Network network_;
  Training training_;
  std::atomic<bool> stop_{false};
  std::atomic<int64_t> steps_{0};
  std::string problem_;
  std::thread thread_;
};

/// Another way to run a case that must not change a bit.
struct Variant {
  const char* name;
  std::function<void(TrainingSpec&)> change;
  bool beside_other_work = false;
};

const std::vector<Variant>& variants() {
  static const std::vector<Variant> all{
      {"again", [](TrainingSpec&) {}},
      {"each operation launched by itself", [](TrainingSpec& spec) { spec.steps_per_launch = 0; }},
      {"three steps a launch", [](TrainingSpec& spec) { spec.steps_per_launch = 3; }},
      {"beside other work on the device", [](TrainingSpec&) {}, true},
  };
  return all;
}

}  // namespace

void check_bits(const Options& options, Report& report) {
  const Log log = options.small ? generate_log(50, 60, 4) : generate_log(3000, 2000, 4);
  std::vector<Case> all = cases(log.train.items, options.small);
  if (options.small) all.resize(2);
  // An epoch of a few steps, of as many sessions side by side as the case has.
  Clicks few;
  few.items = log.train.items;
  for (int64_t s = 0; s < std::min<int64_t>(log.train.count(), 300); ++s)
    few.add({log.train.events.begin() + log.train.offsets[s], log.train.events.begin() + log.train.offsets[s + 1]});
  report.data["cases"] = Json::array();
  for (const Case& c : all) {
    if (!report.time_for(c.name)) continue;
    const std::vector<uint32_t> expected = run(c, log, options.device);
    Json entry = Json::object();
    entry["name"] = c.name;
    entry["words"] = expected.size();
    std::string outcome;
    for (const Variant& variant : variants()) {
      Case changed = c;
      variant.change(changed.training);
      size_t different = 0;
      if (variant.beside_other_work) {
        OtherWork other(c, few, options.device);
        int64_t steps = 0;
        // Once, or as often as it takes until the other work has ended an epoch beside one of these.
        for (int round = 0; round < kMostRounds && steps == 0; ++round) {
          const int64_t before = other.steps();
          different = std::max(different, differences(expected, run(changed, log, options.device)));
          steps = other.steps() - before;
        }
        const std::string problem = other.end();
        report.expect(problem.empty(), c.name + ": the other work: " + problem);
        report.expect(steps > 0, c.name + ": expected the other work to do a step meanwhile, received none");
        entry["steps_of_the_other_work"] = steps;
      } else {
        different = differences(expected, run(changed, log, options.device));
      }
      entry[variant.name] = different;
      outcome += (outcome.empty() ? "" : ", ") + std::to_string(different);
      report.expect(different == 0, c.name + ", " + variant.name + ": expected the same bits, received " +
                                        std::to_string(different) + " other words of " +
                                        std::to_string(expected.size()));
    }
    report.data["cases"].push(entry);
    report.line("%-50s %zu words, other ones in each variant: %s", c.name.c_str(), expected.size(), outcome.c_str());
  }
}

}  // namespace gru4rec::gpu_check
