// What training takes of a device's memory: that the estimate says so before, and that failures give it back.

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "count_allocations.h"
#include "emulated_device.h"
#include "engine/memory_need.h"
#include "small_training.h"

namespace gru4rec::test {
namespace {

/// A model and a training, large enough that no constant hides an error.
struct Case {
  std::string name;
  ModelSpec model;
  TrainingSpec training;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  size_t turn = 0;
  const OptimiserKind kinds[] = {OptimiserKind::adagrad, OptimiserKind::sgd, OptimiserKind::rmsprop,
                                 OptimiserKind::adadelta, OptimiserKind::adam};
  for (const EmbeddingMode embedding : {EmbeddingMode::none, EmbeddingMode::separate, EmbeddingMode::shared})
    for (const bool reset_after : {false, true})
      for (const bool samples : {true, false}) {
        Case one;
        one.model.items = 9000 + 100 * static_cast<int64_t>(turn);
        one.model.layers = turn % 3 == 0 ? std::vector<int64_t>{60, 36} : std::vector<int64_t>{52};
        one.model.embedding = embedding;
        one.model.embedding_size = 40;
        one.model.reset_after = reset_after;
        one.model.final_act.kind = turn % 2 == 0 ? ActivationKind::softmax : ActivationKind::linear;
        one.training.loss.kind = turn % 2 == 0 ? LossKind::cross_entropy : LossKind::bpr_max;
        one.training.loss.final_act = one.model.final_act;
        one.training.logq = 1.0;
        one.training.batch = samples ? 30 : 150;
        one.training.samples = samples ? 500 : 0;
        one.training.sample_store = 200'000;
        one.training.optimiser.kind = kinds[turn % 5];
        if (kinds[turn % 5] == OptimiserKind::adadelta) one.training.optimiser.learning_rate = 1.0f;
        one.training.optimiser.momentum = turn % 4 < 2 ? 0.1f : 0.0f;
        one.training.grad_cap = turn % 3 == 1 ? 1.0 : 0.0;
        one.training.bptt = turn % 5 == 2 ? 4 : turn % 4 == 1 ? 2 : 1;
        one.training.dropout_embed = turn % 2 == 0 ? 0.2 : 0.0;
        one.training.dropout_hidden = turn % 2 == 1 ? 0.2 : 0.0;
        one.name = "case " + std::to_string(turn++) + ", embedding " + std::to_string(static_cast<int>(embedding));
        all.push_back(one);
      }
  return all;
}

/// Sessions of three events, `sessions` of them.
void train_one_epoch(Trainer& trainer, int64_t sessions, int64_t items) {
  std::vector<int32_t> events, offsets{0}, order;
  for (int64_t s = 0; s < sessions; ++s) {
    for (int64_t e = 0; e < 3; ++e) events.push_back(static_cast<int32_t>((s * 31 + e * 17) % items));
    offsets.push_back(static_cast<int32_t>(events.size()));
    order.push_back(static_cast<int32_t>(s));
  }
  trainer.epoch({{events.data(), static_cast<int64_t>(events.size())}, {offsets.data(), sessions + 1}},
                {order.data(), sessions}, Cancellation(), nullptr);
}

/// Bytes that `live` grows by for a back end, a model and its training, while all of it lives.
template <class Live>
int64_t bytes_taken(const DeviceOptions& options, const Case& one, const Live& live) {
  const std::vector<uint32_t> support(one.model.items, 2);
  const int64_t before = live();
  const std::unique_ptr<Backend> backend = create_backend(options);
  Parameters parameters(*backend, one.model);
  OptimiserState optimiser(parameters, one.training.optimiser);
  Trainer trainer(parameters, optimiser, one.training, {support.data(), one.model.items});
  train_one_epoch(trainer, one.training.batch, one.model.items);
  return live() - before;
}

void check_estimate(const DeviceOptions& options, const Case& one, int64_t taken) {
  const int64_t estimate = measure_training(*create_memory_meter(options), one.model, one.training).total();
  CHECK_NEAR(static_cast<double>(taken), static_cast<double>(estimate), 0.02 * static_cast<double>(taken));
}

/// A back end that is only asked for its precision.
class PrecisionRecorder final : public MemoryMeter {
 public:
  explicit PrecisionRecorder(Precision best) : best_(best) {}
  int64_t workspace() const override { return 0; }
  bool supports(Precision precision) const override { return precision <= best_; }
  void set_precision(Precision precision) override { now = precision; }

  Precision now = Precision::float32;
  Precision in_training = Precision::float32;

 private:
  void do_loss_gradient(const Loss&, int64_t, const int32_t*, Matrix, Span<float>) override { in_training = now; }
  const Precision best_;
};

}  // namespace

TEST_CASE("estimate: within two percent of what the CPU back end takes") {
  if (live_heap_bytes() < 0) SKIP("the bytes of the heap are not counted here");
  for (const int threads : {1, 3})
    for (const Case& one : cases()) {
      const Context context(one.name + ", " + std::to_string(threads) + " threads");
      const DeviceOptions options{"cpu", threads, {}, {}};
      check_estimate(options, one, bytes_taken(options, one, live_heap_bytes));
    }
}

TEST_CASE("estimate: within two percent of what the CUDA back end takes, with and without cuBLAS") {
  const EmulatedDevice& device = emulated_device();
  for (const Case& one : cases()) {
    const Context context(one.name);
    DeviceOptions options = device.options();
    check_estimate(options, one, bytes_taken(options, one, [&] { return device.live_bytes(); }));
  }
  DeviceOptions without = device.options();
  without.cublas_path = "none";
  check_estimate(without, cases()[0], bytes_taken(without, cases()[0], [&] { return device.live_bytes(); }));
}

TEST_CASE("estimate: each part is what it says") {
  Case one = cases()[0];
  const auto measure_on = [&](const char* device) {
    return measure_training(*create_memory_meter({device, 1, {}, {}}), one.model, one.training);
  };
  const auto measure = [&] { return measure_on("cuda"); };
  const MemoryNeed before = measure(), before_on_cpu = measure_on("cpu");
  CHECK_EQUAL(before.tables + before.optimiser_state + before.batch_buffers + before.sample_store + before.workspace,
              before.total());
  CHECK_EQUAL(ParameterLayout(one.model).size() * 4, before.tables);
  one.training.sample_store += 1'000'000;
  const MemoryNeed stored = measure(), stored_on_cpu = measure_on("cpu");
  CHECK_EQUAL(before.total(), stored.total());  // a GPU draws the samples of a step in the step
  CHECK_NEAR(4e6, static_cast<double>(stored_on_cpu.sample_store - before_on_cpu.sample_store),
             0.15 * 4e6 + (2 << 20));  // in pages of 2 MiB
  CHECK_EQUAL(stored_on_cpu.total() - before_on_cpu.total(), stored_on_cpu.sample_store - before_on_cpu.sample_store);
  one.training.optimiser.kind = OptimiserKind::sgd;
  one.training.optimiser.momentum = 0.0f;
  CHECK_EQUAL(0, measure().optimiser_state);
  one.training.optimiser.kind = OptimiserKind::adadelta;
  one.training.optimiser.learning_rate = 1.0f;
  CHECK_EQUAL(2 * before.tables, measure().optimiser_state);
  one.training.batch *= 2;
  CHECK(measure().batch_buffers > stored.batch_buffers);
  CHECK_EQUAL(before.tables, measure_model(*create_memory_meter({"cuda", 0, {}, {}}), one.model).tables);
}

TEST_CASE("estimate: of sizes that no machine has, in no time and no memory") {
  Case one = cases()[0];
  one.model.items = 2147483647;
  one.model.layers = {65536};
  one.training.batch = 16384;
  one.training.samples = 49152;
  one.training.optimiser.kind = OptimiserKind::adam;
  const int64_t before = live_heap_bytes();
  const MemoryNeed need = measure_training(*create_memory_meter({"cpu", 1, {}, {}}), one.model, one.training);
  CHECK(need.total() > int64_t{2} * 65536 * 2147483647 * 4);
  CHECK(live_heap_bytes() - before < 1 << 20);
}

TEST_CASE("room: what does not fit is refused with its parts, what is free and what to change") {
  const std::unique_ptr<Backend> backend = create_backend({"cpu", 1, {}, {}});
  if (backend->memory().total == 0) SKIP("the system does not say how much memory it has");
  CHECK(backend->memory().free > 0);
  CHECK(backend->memory().free <= backend->memory().total);
  expect_room({1, 1, 1, 1, 1}, *backend);
  const int64_t tera = 1'000'000'000'000;
  try {
    expect_room({tera, 0, 9 * tera, 5'000'000, 1}, *backend);
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::out_of_memory);
    const std::string message = error.what();
    const size_t buffers = message.find("batch buffers 9000.00 GB (batchSize, nSample, layers, bptt)");
    CHECK(buffers != std::string::npos);
    CHECK(message.find("tables 1000.00 GB (layers, embedding)") > buffers);
    CHECK(message.find("sample store 5.0 MB (sampleStore)") != std::string::npos);
    CHECK(message.find("optimiser state") == std::string::npos);
    CHECK(message.find(" are free") != std::string::npos);
    CHECK(message.find(backend->description()) != std::string::npos);
  }
}

TEST_CASE("failure: an allocation that fails in the middle gives back all that was taken, and the model goes on") {
  const EmulatedDevice& device = emulated_device();
  const ModelSpec spec = small_model(EmbeddingMode::separate);
  TrainingSpec training = small_training(spec);
  training.optimiser.kind = OptimiserKind::adam;
  const Clicks clicks(20);
  Model model(spec, device.options());
  const std::vector<float> values = model.values();
  const int64_t before = device.live_bytes();
  const auto prepare = [&] { Training(model, training, clicks).epoch(clicks); };
  const int64_t allocations = [&] {
    const auto first = static_cast<int64_t>(device.counters().allocations);
    const Training whole(model, training, clicks);
    return static_cast<int64_t>(device.counters().allocations) - first;
  }();
  CHECK(allocations > 20);
  for (int64_t n = 1; n <= allocations; ++n) {
    const Context context("allocation " + std::to_string(n));
    device.fail_allocation(n);
    try {
      prepare();
      CHECK(false);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::out_of_memory);
    }
    CHECK_EQUAL(before, device.live_bytes());
  }
  CHECK(values == model.values());
  prepare();
  CHECK(values != model.values());
}

TEST_CASE("failure: an allocation that fails while the back end is made gives back all that was taken") {
  const EmulatedDevice& device = emulated_device();
  const Gru4recEmulatorCounters before = device.counters();
  create_backend(device.options());
  const uint64_t allocations = device.counters().allocations - before.allocations;
  CHECK(allocations >= 3);  // two pinned buffers and cuBLAS's workspace
  for (uint64_t n = 1; n <= allocations; ++n) {
    const Context context("allocation " + std::to_string(n));
    device.fail_allocation(n);
    try {
      create_backend(device.options());
      CHECK(false);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::out_of_memory);
    }
    const Gru4recEmulatorCounters after = device.counters();
    CHECK_EQUAL(before.live_bytes, after.live_bytes);
    CHECK_EQUAL(before.live_pinned_bytes, after.live_pinned_bytes);
    CHECK_EQUAL(before.live_objects, after.live_objects);
  }
}

TEST_CASE("failure: memory that is not there is told with what was asked for and what is free") {
  const EmulatedDevice& device = emulated_device();
  const auto said = [&](const std::string& memory, const auto& allocate) {
    device.fail_allocation(1);
    const std::string message = CHECK_THROWS(Error, allocate());
    const Context context(message);
    CHECK(message.find("Expected ") == 0);
    CHECK(message.find(" bytes of " + memory) != std::string::npos);
    CHECK(message.find(" but received none") != std::string::npos);
    if (memory != "pinned host memory") CHECK(message.find(" are free") != std::string::npos);
  };
  said("pinned host memory", [&] { create_backend(device.options()); });
  const std::unique_ptr<Backend> backend = create_backend(device.options());
  said("memory of Emulated GPU 0", [&] { backend->allocate(100); });
  Array<double> total(*backend, 1);
  const DeviceMatrix gradient(*backend, 3, 4);
  said("memory of Emulated GPU 0", [&] { backend->add_squared_norm(gradient, total.data()); });
}

TEST_CASE("failure: work space that cannot grow fails the epoch, and the next one goes on") {
  const EmulatedDevice& device = emulated_device();
  const ModelSpec spec = small_model(EmbeddingMode::shared);
  const Clicks clicks(20);
  Model model(spec, device.options());
  Training training(model, small_training(spec), clicks);
  device.fail_allocation(1);
  CHECK_THROWS(Error, training.epoch(clicks));
  training.epoch(clicks);
}

TEST_CASE("failure: a device that failed says so ever after; other models go on") {
  const EmulatedDevice& device = emulated_device();
  const ModelSpec spec = small_model(EmbeddingMode::shared);
  const Clicks clicks(20);
  Model on_cpu(spec, kCpu);
  {
    Model model(spec, device.options());
    Training training(model, small_training(spec), clicks);
    device.fail_launch(30);
    std::string first;
    try {
      training.epoch(clicks);
      CHECK(false);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::device);
      first = error.what();
    }
    CHECK(first.find("cudaErrorIllegalAddress") != std::string::npos);
    for (int i = 0; i < 2; ++i) {
      const std::string later = CHECK_THROWS(Error, model.values());
      CHECK(later.find("failed before: " + first) != std::string::npos);
    }
    CHECK_THROWS(Error, model.parameters.initialise({}));
    Training(on_cpu, small_training(spec), clicks).epoch(clicks);
  }
  device.mend();
  Model again(spec, device.options());
  CHECK(again.values().size() > 0);
}

TEST_CASE(
    "precision: training has the one asked for, or tf32 where it is there; float32 afterwards, also after a failure") {
  const ModelSpec spec = small_model(EmbeddingMode::shared);
  const Clicks clicks(20);
  struct Expectation {
    std::optional<Precision> asked;
    Precision best, used;
  };
  const Expectation expectations[] = {{std::nullopt, Precision::bf16, Precision::tf32},
                                      {std::nullopt, Precision::float32, Precision::float32},
                                      {Precision::float32, Precision::bf16, Precision::float32},
                                      {Precision::tf32, Precision::tf32, Precision::tf32},
                                      {Precision::bf16, Precision::bf16, Precision::bf16}};
  for (const Expectation& expected : expectations) {
    PrecisionRecorder backend(expected.best);
    const Parameters parameters(backend, spec);
    TrainingSpec training = small_training(spec);
    training.precision = expected.asked;
    OptimiserState optimiser(parameters, training.optimiser);
    Trainer trainer(const_cast<Parameters&>(parameters), optimiser, training, {});
    trainer.epoch(clicks.sessions(), clicks.all(), Cancellation(), nullptr);
    CHECK(backend.in_training == expected.used);
    CHECK(backend.now == Precision::float32);

    Cancellation cancelled;
    cancelled.cancel();
    CHECK_THROWS(Error, trainer.epoch(clicks.sessions(), clicks.all(), cancelled, nullptr));
    CHECK(backend.now == Precision::float32);
  }
}

TEST_CASE("precision: one that is not there is refused before training") {
  for (const BackendChoice& choice : backend_choices()) {
    const ModelSpec spec = small_model(EmbeddingMode::shared);
    DeviceOptions options = choice.options;
    options.cublas_path = "none";
    Model model(spec, options);
    TrainingSpec training = small_training(spec);
    training.precision = Precision::bf16;
    try {
      const Training refused(model, training, Clicks(9));
      CHECK(false);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::device);
      CHECK(std::string(error.what()).find("Expected precision to be one of auto, float32 on ") == 0);
      CHECK(std::string(error.what()).find("but received bf16") != std::string::npos);
    }
    training.precision.reset();
    const Training accepted(model, training, Clicks(9));
  }
}

}  // namespace gru4rec::test
