#include <atomic>
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
  Json losses = Json::array();
  for (int epoch = 0; epoch < 2; ++epoch) losses.push(training.epoch().loss);
  std::vector<uint32_t> bits = bits_of(*network.backend, training.tensors());
  for (const char c : losses.text()) bits.push_back(static_cast<uint32_t>(c));
  for (const double rank : ranks_of(network, log.test, 50)) bits.push_back(static_cast<uint32_t>(2.0 * rank));
  return bits;
}

/// Trains another model on the device, on a thread and a stream of its own, while it lives.
class OtherWork {
 public:
  OtherWork(const Case& c, const Log& log, const DeviceOptions& device)
      : network_(c.model, device), training_(network_, c.training, log.train), thread_([this] {
          try {
            while (!stop_) training_.epoch();
          } catch (const Error& error) {
            if (error.code() != ErrorCode::aborted) problem_ = error.what();
          }
        }) {}
  ~OtherWork() { end(); }
  OtherWork(const OtherWork&) = delete;
  OtherWork& operator=(const OtherWork&) = delete;

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
      std::unique_ptr<OtherWork> other;
      if (variant.beside_other_work) other = std::make_unique<OtherWork>(c, log, options.device);
      const std::vector<uint32_t> received = run(changed, log, options.device);
      if (other) {
        const std::string problem = other->end();
        report.expect(problem.empty(), c.name + ": the other work: " + problem);
      }
      size_t different = expected.size() == received.size() ? 0 : expected.size();
      for (size_t i = 0; i < expected.size() && i < received.size(); ++i) different += expected[i] != received[i];
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
