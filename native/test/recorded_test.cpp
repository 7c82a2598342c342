#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <thread>

#include "emulated_device.h"
#include "engine/step_runner.h"
#include "small_training.h"

/// Training on a device that follows its feed by itself and replays recorded steps: the CPU's results, the same bits
/// however the steps are launched, and a host that only wakes for a chunk.
namespace gru4rec::test {

namespace {

struct Trained {
  std::vector<float> values;
  std::vector<double> losses;
  Progress progress;
};

Trained train(const DeviceOptions& options, const ModelSpec& spec, const TrainingSpec& training, const Clicks& clicks,
              int epochs = 2) {
  Model model(spec, options);
  Training in_training(model, training, clicks);
  Trained trained;
  for (int e = 0; e < epochs; ++e) {
    trained.progress = in_training.epoch(clicks);
    trained.losses.push_back(trained.progress.loss);
  }
  trained.values = model.values();
  return trained;
}

/// Before the emulator is loaded.
[[maybe_unused]] const int kTwoDevices = setenv("GRU4REC_EMULATOR_DEVICES", "2", 1);

/// What training may differ by when sums are made in another order, a few hundred steps on.
void check_like(const Trained& expected, const Trained& received) {
  CHECK_EQUAL(expected.progress.steps, received.progress.steps);
  CHECK_EQUAL(expected.progress.events, received.progress.events);
  for (size_t e = 0; e < expected.losses.size(); ++e)
    CHECK_NEAR(expected.losses[e], received.losses[e], 1e-4 * std::abs(expected.losses[e]));
  CHECK_EQUAL(expected.values.size(), received.values.size());
  double worst = 0.0;
  for (size_t i = 0; i < expected.values.size(); ++i)
    worst = std::max(worst, std::abs(double{expected.values[i]} - double{received.values[i]}));
  CHECK(worst < 1e-3);
}

struct Variant {
  std::string name;
  ModelSpec model;
  TrainingSpec training;
};

/// What a step is made of: every loss family, embedding, reset form, optimiser with counts, with and without dropout,
/// cap, samples and gradients through time.
std::vector<Variant> variants() {
  std::vector<Variant> all;
  const auto add = [&](const std::string& name, EmbeddingMode mode, const auto& change) {
    Variant variant{name, small_model(mode), {}};
    variant.training = small_training(variant.model);
    variant.training.precision = Precision::float32;
    change(variant);
    variant.training.steps_per_launch = 8;
    all.push_back(variant);
  };
  add("shared, two layers, cross-entropy", EmbeddingMode::shared,
      [](Variant& v) { v.training.grad_cap = 0.1; });  // which is less than the norm
  add("shared, one layer, bpr-max, no dropout, no cap", EmbeddingMode::shared, [](Variant& v) {
    v.model.layers = {24};
    v.model.final_act = {ActivationKind::elu, 0.5f, 1.0f};
    v.training = small_training(v.model);
    v.training.loss.kind = LossKind::bpr_max;
    v.training.precision = Precision::float32;
    v.training.dropout_embed = v.training.dropout_hidden = v.training.grad_cap = 0.0;
  });
  add("separate, adam, reset after, smoothed", EmbeddingMode::separate, [](Variant& v) {
    v.model.reset_after = true;
    v.training.optimiser.kind = OptimiserKind::adam;
    v.training.optimiser.learning_rate = 0.01f;
    v.training.loss.smoothing = 0.1f;
  });
  add("none, rmsprop with decay, no samples", EmbeddingMode::none, [](Variant& v) {
    v.training.optimiser = {OptimiserKind::rmsprop, 0.01f, 0.2f, 0.001f, 0.9f, 0.999f};
    v.training.samples = 0;
  });
  add("shared, two layers, through 2 steps", EmbeddingMode::shared, [](Variant& v) { v.training.bptt = 2; });
  add("separate, reset after, adam, through 3 steps, more than 128 units", EmbeddingMode::separate, [](Variant& v) {
    v.model.layers = {24, 130};
    v.model.reset_after = true;
    v.training.optimiser.kind = OptimiserKind::adam;
    v.training.optimiser.learning_rate = 0.01f;
    v.training.bptt = 3;
  });
  add("none, two layers, decay, through more steps than a session has", EmbeddingMode::none, [](Variant& v) {
    v.training.optimiser.lmbd = 0.001f;
    v.training.bptt = 7;
  });
  return all;
}

}  // namespace

TEST_CASE("recorded: trains as the CPU does, from the first step to the last row of an epoch") {
  const DeviceOptions options = emulated_device().options();
  const Clicks clicks(40);
  for (const Variant& variant : variants()) {
    const Context context(variant.name);
    check_like(train(kCpu, variant.model, variant.training, clicks),
               train(options, variant.model, variant.training, clicks));
  }
}

TEST_CASE("recorded: the same bits with and without recording, for any number of steps a launch, on every run") {
  const DeviceOptions options = emulated_device().options();
  const Clicks clicks(40);
  for (Variant variant : variants()) {
    const Context context(variant.name);
    variant.training.steps_per_launch = 0;
    const Trained expected = train(options, variant.model, variant.training, clicks);
    using Steps = std::optional<int64_t>;
    for (const Steps& steps : unless_sanitized(std::vector<Steps>{1, 3, 8, {}}, {3})) {
      const Context launch(steps ? std::to_string(*steps) + " steps a launch" : "as many a launch as are chosen");
      variant.training.steps_per_launch = steps;
      const Trained received = train(options, variant.model, variant.training, clicks);
      CHECK(expected.values == received.values);
      CHECK(expected.losses == received.losses);
    }
  }
}

TEST_CASE("recorded: one session, and fewer sessions than rows of a batch") {
  const DeviceOptions options = emulated_device().options();
  const Variant variant = variants()[0];
  for (const int64_t sessions : {1, 2, 5}) {
    const Context context(std::to_string(sessions) + " sessions");
    const Clicks clicks(sessions);
    check_like(train(kCpu, variant.model, variant.training, clicks, 3),
               train(options, variant.model, variant.training, clicks, 3));
  }
}

TEST_CASE("recorded: a step costs the host a share of a launch and the bytes of its items, no wait and no memory") {
  const EmulatedDevice& device = emulated_device();
  const Variant variant = variants()[0];
  /// What an epoch of a model that has trained before costs.
  const auto count = [&](int64_t sessions) {
    const Clicks clicks(sessions);
    Model model(variant.model, device.options());
    Training training(model, variant.training, clicks);
    training.epoch(clicks);
    const Gru4recEmulatorCounters before = device.counters();
    const int64_t steps = training.epoch(clicks).steps;
    const Gru4recEmulatorCounters after = device.counters();
    // A chunk ends with a read of the loss.
    const auto chunks = static_cast<int64_t>((after.bytes_to_host - before.bytes_to_host) / sizeof(LossTotals));
    const auto state = static_cast<int64_t>(sizeof(LossTotals) + sizeof(StepState));
    const int64_t row = StepFeed::row_size(variant.training.batch) * static_cast<int64_t>(sizeof(int32_t));
    CHECK_EQUAL(0u, after.allocations - before.allocations);
    CHECK_EQUAL(before.live_objects, after.live_objects);
    CHECK_EQUAL((steps + 1) * row + state, static_cast<int64_t>(after.bytes_to_device - before.bytes_to_device));
    // What was read, and the staging buffer of what went up; four times in the beginning.
    CHECK_EQUAL(2 * chunks + 4, static_cast<int64_t>(after.synchronisations - before.synchronisations));
    const auto graphs = static_cast<int64_t>(after.graph_launches - before.graph_launches);
    const int64_t per_launch = *variant.training.steps_per_launch;
    CHECK(graphs >= (steps - 1) / per_launch);
    CHECK(graphs <= (steps - 1) / per_launch + (per_launch - 1) * chunks);
    return after.launches - before.launches;
  };
  const uint64_t launches = count(40);
  CHECK(launches < 80);
  CHECK_EQUAL(launches, count(120));  // those of the first step and of the beginning
}

TEST_CASE("recorded: how many steps are launched at a time is decided once, by enough of them") {
  CHECK_EQUAL(1, choose_steps_per_launch(10.0));
  CHECK_EQUAL(1, choose_steps_per_launch(250e-6));
  CHECK_EQUAL(2, choose_steps_per_launch(110e-6));
  CHECK_EQUAL(2, choose_steps_per_launch(140e-6));
  CHECK_EQUAL(16, choose_steps_per_launch(16e-6));
  CHECK_EQUAL(32, choose_steps_per_launch(1e-6));
  CHECK_EQUAL(32, choose_steps_per_launch(0.0));

  const EmulatedDevice& device = emulated_device();
  const std::unique_ptr<Backend> backend = create_backend(device.options());
  const Array<float> values(*backend, 1);
  /// Launches of 25 steps, behind a measurement of 15 and two of 16.
  const auto count = [&](std::optional<int64_t> per_launch, double seconds) {
    StepRunner runner(
        *backend, [&] { backend->fill(1.0f, values.matrix(1, 1)); }, per_launch);
    const auto launches = [&](int64_t steps) {
      const uint64_t before = device.counters().graph_launches;
      runner.run(steps);
      return static_cast<int64_t>(device.counters().graph_launches - before);
    };
    launches(1);  // called
    runner.measured(15, 15 * 1e-6);
    if (!per_launch) CHECK_EQUAL(5, launches(5));
    runner.measured(16, 16 * seconds);
    runner.measured(16, 16 * 1.0);
    return launches(25);
  };
  CHECK_EQUAL(25, count(std::nullopt, 1e-3));
  CHECK_EQUAL(3 + 1, count(std::nullopt, 30e-6));
  CHECK_EQUAL(8 + 1, count(3, 30e-6));
  CHECK_EQUAL(0, count(0, 30e-6));
}

TEST_CASE("recorded: a step of one layer is a graph with few nodes, of which fewer wait for each other") {
  const EmulatedDevice& device = emulated_device();
  const Clicks clicks(20);
  struct Expectation {
    int64_t hidden;
    LossKind loss;
    uint64_t most_nodes, deepest;
  };
  // Above 128 units the layer is made of products.
  for (const Expectation& expected : {Expectation{100, LossKind::cross_entropy, 20, 11},
                                      {100, LossKind::bpr_max, 20, 11},
                                      {160, LossKind::cross_entropy, 26, 16},
                                      {160, LossKind::bpr_max, 26, 16}}) {
    const Context context(std::to_string(expected.hidden) + " units");
    Variant variant = variants()[1];
    variant.model.layers = {expected.hidden};
    if (expected.loss == LossKind::cross_entropy) variant.model.final_act = {ActivationKind::softmax};
    variant.training.loss.kind = expected.loss;
    variant.training.loss.final_act = variant.model.final_act;
    variant.training.steps_per_launch = 1;
    train(device.options(), variant.model, variant.training, clicks, 1);
    const Gru4recEmulatorCounters counters = device.counters();
    CHECK(counters.graph_nodes > 0 && counters.graph_nodes <= expected.most_nodes);
    CHECK(counters.graph_depth > 0 && counters.graph_depth <= expected.deepest);
  }
}

TEST_CASE("recorded: shapes come and go, and nothing of them stays") {
  const EmulatedDevice& device = emulated_device();
  const Clicks clicks(12);
  Variant variant = variants()[1];
  variant.training.samples = 5;
  variant.training.steps_per_launch = 1;
  const Gru4recEmulatorCounters before = device.counters();
  for (int64_t batch = 2; batch < unless_sanitized(22, 6); ++batch) {
    variant.training.batch = batch;
    train(device.options(), variant.model, variant.training, clicks, 1);
  }
  CHECK_EQUAL(before.live_objects, device.counters().live_objects);
}

TEST_CASE("recorded: a cancelled epoch leaves a model that goes on") {
  const EmulatedDevice& device = emulated_device();
  const Variant variant = variants()[0];
  const Clicks clicks(300);
  Model model(variant.model, device.options());
  Training training(model, variant.training, clicks);
  Cancellation cancellation;
  int64_t reports = 0;
  const std::string message = CHECK_THROWS(Error, training.epoch(clicks, cancellation, [&](const Progress& progress) {
    ++reports;
    CHECK(progress.events < progress.total_events);
    cancellation.cancel();
  }));
  CHECK_EQUAL("The operation was aborted", message);
  CHECK_EQUAL(1, reports);
  for (const float value : model.values()) CHECK(std::isfinite(value));
  training.epoch(clicks);
}

TEST_CASE("recorded: a loss that is not finite names epoch and step") {
  const EmulatedDevice& device = emulated_device();
  Variant variant = variants()[1];
  variant.training.optimiser = {OptimiserKind::sgd, 1e30f, 0.0f, 0.0f, 0.9f, 0.999f};
  const Clicks clicks(100);
  const auto message = [&](const DeviceOptions& options) {
    return CHECK_THROWS(Error, train(options, variant.model, variant.training, clicks));
  };
  const std::string received = message(device.options());
  CHECK(received.find("Expected a finite loss but epoch 1, step ") == 0);
  CHECK_EQUAL(message(kCpu), received);
}

TEST_CASE("recorded: work space that cannot grow in the middle of a step fails the epoch, and the next one goes on") {
  const EmulatedDevice& device = emulated_device();
  const Clicks clicks(unless_sanitized(40, 10));
  for (const Variant& variant : variants()) {
    const Context context(variant.name);
    const Trained expected = train(device.options(), variant.model, variant.training, clicks, 1);
    int failed = 0;
    for (uint64_t n = 1; n < 12; ++n) {
      Model model(variant.model, device.options());
      {
        Training training(model, variant.training, clicks);
        device.fail_allocation(n);
        try {
          training.epoch(clicks);
        } catch (const Error& error) {
          CHECK(error.code() == ErrorCode::out_of_memory);
          ++failed;
        }
        device.fail_allocation(0);
      }
      model.parameters.initialise({});
      Training(model, variant.training, clicks).epoch(clicks);
      CHECK(expected.values == model.values());
    }
    CHECK(failed >= 3);
  }
}

TEST_CASE("recorded: a device that is lost in the middle of the replays, and a recording that cannot be made") {
  const EmulatedDevice& device = emulated_device();
  const Variant variant = variants()[0];
  const Clicks clicks(100);
  {
    Model model(variant.model, device.options());
    Training training(model, variant.training, clicks);
    const Gru4recEmulatorCounters before = device.counters();
    training.epoch(clicks);
    const uint64_t launches = device.counters().launches - before.launches;
    device.fail_launch(launches + 3);  // its third replay
    const std::string message = CHECK_THROWS(Error, training.epoch(clicks));
    CHECK(message.find("cudaErrorIllegalAddress") != std::string::npos);
    CHECK(CHECK_THROWS(Error, model.values()).find("failed before") != std::string::npos);
  }
  device.mend();
  const std::unique_ptr<Backend> backend = create_backend(device.options());
  const std::string message = CHECK_THROWS(Error, backend->record([&] { backend->allocate(100); }));
  CHECK(message.find("cudaErrorStreamCapture") != std::string::npos);
}

TEST_CASE("recorded: two models on one GPU, and one on each of two, train at the same time as if alone") {
  const EmulatedDevice& device = emulated_device();
  const std::vector<Variant> all = variants();
  const Clicks clicks(40);
  const Trained expected[] = {train(device.options(), all[0].model, all[0].training, clicks),
                              train(device.options(), all[2].model, all[2].training, clicks)};
  for (const char* second : {"cuda:0", "cuda:1"}) {
    const Context context(second);
    DeviceOptions options[] = {device.options(), device.options()};
    options[1].device = second;
    Trained received[2];
    std::thread other([&] { received[1] = train(options[1], all[2].model, all[2].training, clicks); });
    received[0] = train(options[0], all[0].model, all[0].training, clicks);
    other.join();
    for (int i = 0; i < 2; ++i) {
      CHECK(expected[i].values == received[i].values);
      CHECK(expected[i].losses == received[i].losses);
    }
  }
}

}  // namespace gru4rec::test
