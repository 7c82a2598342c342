#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <thread>

#include "emulated_device.h"
#include "engine/evaluator.h"
#include "engine/recommender.h"
#include "engine/step_walk.h"
#include "engine/trainer.h"
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
  OptimiserState optimiser(model.parameters, training.optimiser);
  Trainer trainer(model.parameters, optimiser, training, clicks.counts());
  Trained trained;
  for (int e = 0; e < epochs; ++e) {
    trained.progress = trainer.epoch(clicks.sessions(), clicks.all(), Cancellation(), nullptr);
    trained.losses.push_back(trained.progress.loss);
  }
  trained.values = model.values();
  return trained;
}

/// Before the emulator is loaded.
[[maybe_unused]] const int kTwoDevices = setenv("GRU4REC_EMULATOR_DEVICES", "2", 1);

const DeviceOptions kCpu{"cpu", 1, {}, {}};

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
/// cap and samples.
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
    for (const std::optional<int64_t> steps : {std::optional<int64_t>(1), {3}, {8}, {}}) {
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
    OptimiserState optimiser(model.parameters, variant.training.optimiser);
    Trainer trainer(model.parameters, optimiser, variant.training, clicks.counts());
    const auto epoch = [&] { return trainer.epoch(clicks.sessions(), clicks.all(), Cancellation(), nullptr).steps; };
    epoch();
    const Gru4recEmulatorCounters before = device.counters();
    const int64_t steps = epoch();
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
  for (int64_t batch = 2; batch < 22; ++batch) {
    variant.training.batch = batch;
    train(device.options(), variant.model, variant.training, clicks, 1);
  }
  CHECK_EQUAL(before.live_objects, device.counters().live_objects);
}

TEST_CASE(
    "recorded: an evaluation ranks as the CPU does, for all and for some candidates, whatever walks in parallel") {
  const EmulatedDevice& device = emulated_device();
  const Clicks clicks(60);
  const ModelSpec spec = small_model(EmbeddingMode::separate);
  Model on_cpu(spec, kCpu), on_gpu(spec, device.options());
  std::vector<int32_t> some;
  for (int32_t item = 0; item < kItems; item += 3) some.push_back(item);
  for (const bool restricted : {false, true}) {
    EvaluationOptions options;
    options.restricted = restricted;
    if (restricted) options.candidates = {some.data(), static_cast<int64_t>(some.size())};
    options.batch = 7;
    const std::vector<double> expected = evaluate(on_cpu.parameters, clicks.sessions(), options, Cancellation());
    CHECK(expected.size() > 100);
    CHECK(expected == evaluate(on_gpu.parameters, clicks.sessions(), options, Cancellation()));
    std::vector<double> sorted = expected;
    std::sort(sorted.begin(), sorted.end());
    for (const int64_t batch : {1, 100}) {  // the order is another one
      options.batch = batch;
      std::vector<double> received = evaluate(on_gpu.parameters, clicks.sessions(), options, Cancellation());
      std::sort(received.begin(), received.end());
      CHECK(sorted == received);
    }
  }
  Cancellation cancelled;
  cancelled.cancel();
  CHECK_THROWS(Error, evaluate(on_gpu.parameters, clicks.sessions(), {}, cancelled));
  const Clicks none(0);
  CHECK(evaluate(on_gpu.parameters, none.sessions(), {}, Cancellation()).empty());
}

TEST_CASE("recommend: chunk after chunk as on the CPU, each session's list in its place") {
  const EmulatedDevice& device = emulated_device();
  const Clicks clicks(2100);  // more than two chunks of either device
  const int64_t count = clicks.sessions().count();
  std::vector<int32_t> starts{0}, excluded;
  for (int64_t s = 0; s < count; ++s) {
    for (int32_t item = static_cast<int32_t>(s % 7); item < kItems && s % 3 != 0; item += 9) excluded.push_back(item);
    starts.push_back(static_cast<int32_t>(excluded.size()));
  }
  for (const ActivationKind act : {ActivationKind::softmax, ActivationKind::linear}) {
    ModelSpec spec = small_model(EmbeddingMode::shared);
    spec.layers = {8};
    spec.final_act.kind = act;
    Model on_cpu(spec, kCpu), on_gpu(spec, device.options());
    RecommendOptions options;
    options.k = 5;
    options.exclusion_starts = {starts.data(), static_cast<int64_t>(starts.size())};
    options.exclusions = {excluded.data(), static_cast<int64_t>(excluded.size())};
    const Recommendations expected = recommend(on_cpu.parameters, clicks.sessions(), options, Cancellation());
    const Recommendations received = recommend(on_gpu.parameters, clicks.sessions(), options, Cancellation());
    CHECK(expected.items == received.items);
    for (size_t i = 0; i < expected.scores.size(); ++i)
      CHECK_NEAR(expected.scores[i], received.scores[i], 1e-5 * std::abs(expected.scores[i]) + 1e-7);
    // A session of the last chunk alone.
    const int64_t last = count - 1, first = clicks.offsets[last];
    const std::vector<int32_t> own_offsets{0, clicks.offsets[count] - clicks.offsets[last]};
    const std::vector<int32_t> own_starts{0, starts[count] - starts[last]};
    options.exclusion_starts = {own_starts.data(), 2};
    options.exclusions = {excluded.data() + starts[last], own_starts[1]};
    const Sessions own{{clicks.items.data() + first, own_offsets[1]}, {own_offsets.data(), 2}};
    const Recommendations alone = recommend(on_gpu.parameters, own, options, Cancellation());
    for (int64_t place = 0; place < options.k; ++place)
      CHECK_EQUAL(received.items[last * options.k + place], alone.items[place]);
  }
}

TEST_CASE("recorded: a score that is not finite ends an evaluation") {
  const EmulatedDevice& device = emulated_device();
  const Clicks clicks(10);
  Model model(small_model(EmbeddingMode::shared), device.options());
  const auto set_bias = [&](float value) {
    model.backend->upload(&value, sizeof value, const_cast<float*>(model.parameters.output_bias().data));
  };
  evaluate(model.parameters, clicks.sessions(), {}, Cancellation());
  set_bias(std::numeric_limits<float>::quiet_NaN());
  const std::string message = CHECK_THROWS(Error, evaluate(model.parameters, clicks.sessions(), {}, Cancellation()));
  CHECK_EQUAL("Expected finite scores but the model gave one that is not", message);
}

TEST_CASE("feed: more steps than the device has room for arrive in their order, none over one that is still needed") {
  const std::unique_ptr<Backend> backend = create_backend(emulated_device().options());
  const int64_t batch = 20'000, steps = 31;  // of which a chunk has 4
  std::vector<int32_t> items, offsets{0}, order(batch);
  for (int64_t s = 0; s < batch; ++s) {
    for (int64_t e = 0; e <= steps; ++e) items.push_back(static_cast<int32_t>(s * 7 + e));
    offsets.push_back(static_cast<int32_t>(items.size()));
    order[s] = static_cast<int32_t>(s);
  }
  const Sessions sessions{{items.data(), static_cast<int64_t>(items.size())}, {offsets.data(), batch + 1}};
  StepFeeder feeder(*backend, batch, StepSamples(), kNoItem);
  CHECK(2 * feeder.capacity() < steps);
  const StepFeed& feed = feeder.view();
  const Array<int32_t> kept(*backend, feeder.capacity() * 2 * batch);
  const MatrixView<int32_t> rows = kept.matrix(feeder.capacity(), 2 * batch);
  StepRunner runner(
      *backend,
      [&] {
        backend->keep_step(feed.items, feed.state, rows);
        backend->begin_step(feed);
      },
      2);
  Schedule schedule(sessions, {order.data(), batch}, batch, 1);
  feeder.begin(schedule, 5);
  int64_t step = 0;
  std::vector<int32_t> received(2 * batch);
  const auto row_bytes = 2 * batch * static_cast<int64_t>(sizeof(int32_t));
  const ChunkReader reader{[&](const StepFeeder::Chunk&, int) {},
                           [&](const StepFeeder::Chunk& chunk, int) {
                             for (int64_t s = 0; s < chunk.steps; ++s, ++step) {
                               backend->download(rows.row(chunk.first + s), row_bytes, received.data());
                               CHECK_EQUAL(step + 1, received[0]);
                               CHECK_EQUAL(7 * (batch - 1) + step + 1, received[batch - 1]);
                               CHECK_EQUAL(step, received[batch]);
                             }
                           }};
  walk(schedule, feeder, runner, Cancellation(), reader);
  CHECK_EQUAL(steps, step);
}

TEST_CASE("recorded: a cancelled epoch leaves a model that goes on") {
  const EmulatedDevice& device = emulated_device();
  const Variant variant = variants()[0];
  const Clicks clicks(300);
  Model model(variant.model, device.options());
  OptimiserState optimiser(model.parameters, variant.training.optimiser);
  Trainer trainer(model.parameters, optimiser, variant.training, clicks.counts());
  Cancellation cancellation;
  int64_t reports = 0;
  const std::string message =
      CHECK_THROWS(Error, trainer.epoch(clicks.sessions(), clicks.all(), cancellation, [&](const Progress& progress) {
        ++reports;
        CHECK(progress.events < progress.total_events);
        cancellation.cancel();
      }));
  CHECK_EQUAL("The operation was aborted", message);
  CHECK_EQUAL(1, reports);
  for (const float value : model.values()) CHECK(std::isfinite(value));
  trainer.epoch(clicks.sessions(), clicks.all(), Cancellation(), nullptr);
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
  const Clicks clicks(40);
  for (const Variant& variant : variants()) {
    const Context context(variant.name);
    const Trained expected = train(device.options(), variant.model, variant.training, clicks, 1);
    int failed = 0;
    for (uint64_t n = 1; n < 12; ++n) {
      Model model(variant.model, device.options());
      OptimiserState optimiser(model.parameters, variant.training.optimiser);
      {
        Trainer trainer(model.parameters, optimiser, variant.training, clicks.counts());
        device.fail_allocation(n);
        try {
          trainer.epoch(clicks.sessions(), clicks.all(), Cancellation(), nullptr);
        } catch (const Error& error) {
          CHECK(error.code() == ErrorCode::out_of_memory);
          ++failed;
        }
        device.fail_allocation(0);
      }
      model.parameters.initialise({});
      OptimiserState fresh(model.parameters, variant.training.optimiser);
      Trainer again(model.parameters, fresh, variant.training, clicks.counts());
      again.epoch(clicks.sessions(), clicks.all(), Cancellation(), nullptr);
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
    OptimiserState optimiser(model.parameters, variant.training.optimiser);
    Trainer trainer(model.parameters, optimiser, variant.training, clicks.counts());
    const Gru4recEmulatorCounters before = device.counters();
    trainer.epoch(clicks.sessions(), clicks.all(), Cancellation(), nullptr);
    const uint64_t launches = device.counters().launches - before.launches;
    device.fail_launch(launches + 3);  // its third replay
    const std::string message =
        CHECK_THROWS(Error, trainer.epoch(clicks.sessions(), clicks.all(), Cancellation(), nullptr));
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
