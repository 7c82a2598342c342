#include <algorithm>
#include <cmath>
#include <limits>

#include "emulated_device.h"
#include "engine/evaluator.h"
#include "engine/recommender.h"
#include "engine/step_walk.h"
#include "small_training.h"

/// Walks over sessions without training, on a device that follows its feed by itself: ranks, lists and the feed come
/// out as on the CPU, a chunk late and in their order.
namespace gru4rec::test {

TEST_CASE("walk: an evaluation ranks as the CPU does, for all and for some candidates, whatever walks in parallel") {
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

TEST_CASE("walk: lists, chunk after chunk as on the CPU, each session's list in its place") {
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

TEST_CASE("walk: a score that is not finite ends an evaluation") {
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

TEST_CASE("walk: more steps than the device has room for arrive in their order, none over one that is still needed") {
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
  SessionsInOrder in_order(sessions, {order.data(), batch});
  Schedule schedule(in_order, batch, 1);
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

}  // namespace gru4rec::test
