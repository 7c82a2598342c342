// Whole epochs of the engine in C++, without Node: what the operation tests cannot see. Results themselves are compared
// with an independent implementation in test/parity.

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "core/error.h"
#include "count_allocations.h"
#include "engine/evaluator.h"
#include "engine/recommender.h"
#include "engine/session_slots.h"
#include "engine/snapshot.h"
#include "small_training.h"

namespace gru4rec::test {
namespace {

std::vector<float> train(const ModelSpec& model_spec, const TrainingSpec& spec, const Clicks& clicks, int threads,
                         int epochs) {
  Model model(model_spec, threads);
  Training training(model, spec, clicks);
  for (int e = 0; e < epochs; ++e) training.epoch(clicks);
  return model.values();
}

TEST_CASE("training: the same bits for 1, 2 and 5 threads, in every embedding mode") {
  const Clicks clicks(60);
  for (EmbeddingMode embedding : {EmbeddingMode::none, EmbeddingMode::separate, EmbeddingMode::shared}) {
    const ModelSpec model = small_model(embedding);
    const std::vector<float> one = train(model, small_training(model), clicks, 1, 2);
    CHECK(one == train(model, small_training(model), clicks, 2, 2));
    CHECK(one == train(model, small_training(model), clicks, 5, 2));
  }
}

TEST_CASE("training: through time, the same bits for 1, 2 and 5 threads, in every embedding mode") {
  const Clicks clicks(60);
  for (EmbeddingMode embedding : {EmbeddingMode::none, EmbeddingMode::separate, EmbeddingMode::shared}) {
    const ModelSpec model = small_model(embedding);
    TrainingSpec spec = small_training(model);
    spec.bptt = 3;
    const std::vector<float> one = train(model, spec, clicks, 1, 2);
    CHECK(one == train(model, spec, clicks, 2, 2));
    CHECK(one == train(model, spec, clicks, 5, 2));
  }
}

TEST_CASE("training: each step further back counts, up to the longest session, and none behind it changes a bit") {
  const Clicks clicks(60);  // of at most 5 pairs
  for (EmbeddingMode embedding : {EmbeddingMode::none, EmbeddingMode::separate, EmbeddingMode::shared}) {
    const ModelSpec model = small_model(embedding);
    TrainingSpec spec = small_training(model);
    std::vector<std::vector<float>> values;
    for (const int64_t bptt : {1, 2, 3, 4, 5, 6, 30}) {
      spec.bptt = bptt;
      values.push_back(train(model, spec, clicks, 1, 2));
    }
    for (size_t n = 1; n < 5; ++n) CHECK(values[n] != values[n - 1]);
    CHECK(values[5] == values[4]);
    CHECK(values[6] == values[4]);
  }
}

TEST_CASE("training: an epoch that was given up leaves nothing that the next one goes back to") {
  const ModelSpec model_spec = small_model(EmbeddingMode::shared);
  TrainingSpec spec = small_training(model_spec);
  // Nothing is drawn and nothing remembered, so that an epoch depends on the weights alone.
  spec.optimiser = {OptimiserKind::sgd, 0.05f, 0.0f, 0.0f, 0.9f, 0.999f};
  spec.dropout_embed = spec.dropout_hidden = 0.0;
  spec.samples = 0;
  spec.bptt = 4;
  const Clicks few(30), many(100'000);
  Model model(model_spec, 1);
  Training training(model, spec, few);
  Cancellation cancellation;
  CHECK_THROWS(Error, training.epoch(many, cancellation, [&](const Progress&) { cancellation.cancel(); }));
  model.parameters.initialise({});
  training.epoch(few);
  CHECK(model.values() == train(model_spec, spec, few, 1, 1));
}

TEST_CASE("training: the size of the sample store changes no bit") {
  const Clicks clicks(60);
  const ModelSpec model = small_model(EmbeddingMode::shared);
  TrainingSpec spec = small_training(model);
  const std::vector<float> large = train(model, spec, clicks, 1, 2);
  for (int64_t ids : {int64_t{0}, spec.samples, 3 * spec.samples + 1}) {
    spec.sample_store = ids;
    CHECK(large == train(model, spec, clicks, 1, 2));
  }
}

TEST_CASE("training: a step takes nothing from the heap") {
  const ModelSpec spec = small_model(EmbeddingMode::shared);
  Model model(spec, 2);
  const Clicks few(100), many(1000);
  TrainingSpec through_time = small_training(spec);
  through_time.bptt = 3;
  Training training(model, through_time, few);
  const auto allocations_of_epoch = [&](const Clicks& clicks) {
    const int64_t before = allocations_so_far();
    training.epoch(clicks);
    return allocations_so_far() - before;
  };
  allocations_of_epoch(many);
  // The schedule of an epoch allocates, so compare epochs that differ in their number of steps only.
  const int64_t short_epoch = allocations_of_epoch(few);
  CHECK(short_epoch > 0);
  CHECK_EQUAL(short_epoch, allocations_of_epoch(many));
}

TEST_CASE("training: a cancelled epoch throws ErrorCode::aborted") {
  const Clicks clicks(60);
  const ModelSpec spec = small_model(EmbeddingMode::shared);
  Model model(spec, 1);
  Training training(model, small_training(spec), clicks);
  Cancellation cancellation;
  cancellation.cancel();
  try {
    training.epoch(clicks, cancellation);
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::aborted);
  }
}

TEST_CASE("training: a loss that is not finite names epoch and step") {
  const Clicks clicks(60);
  ModelSpec spec = small_model(EmbeddingMode::shared);
  spec.final_act.kind = ActivationKind::linear;
  Model model(spec, 1);
  // bpr-max squares the scores, which such steps make infinite at once; a softmax or sigmoid would saturate.
  TrainingSpec diverging = small_training(spec);
  diverging.loss.kind = LossKind::bpr_max;
  diverging.optimiser.kind = OptimiserKind::sgd;
  diverging.optimiser.learning_rate = 1e38f;
  diverging.grad_cap = 0.0;
  Training training(model, diverging, clicks);
  const std::string message = CHECK_THROWS(Error, training.epoch(clicks));
  CHECK(message.find("epoch 1, step ") != std::string::npos);
}

TEST_CASE("training: counts every pair of the sessions once") {
  const Clicks clicks(60);
  const ModelSpec spec = small_model(EmbeddingMode::none);
  Model model(spec, 1);
  const Progress progress = Training(model, small_training(spec), clicks).epoch(clicks);
  const auto pairs = static_cast<int64_t>(clicks.items.size()) - clicks.sessions().count();
  CHECK_EQUAL(pairs, progress.events);
  CHECK_EQUAL(pairs, progress.total_events);
}

TEST_CASE("training: stopped after an epoch and gone on with elsewhere, it gives the same bits") {
  const Clicks clicks(60);
  const ModelSpec model_spec = small_model(EmbeddingMode::separate);
  for (OptimiserKind kind : {OptimiserKind::adagrad, OptimiserKind::adam, OptimiserKind::adadelta}) {
    TrainingSpec spec = small_training(model_spec);
    spec.optimiser.kind = kind;
    if (kind == OptimiserKind::adadelta) spec.optimiser.learning_rate = 1.0f;
    spec.random_order = true;
    const std::vector<float> whole = train(model_spec, spec, clicks, 1, 3);

    Model first(model_spec, 1), second(model_spec, 1);
    Training before(first, spec, clicks);
    const auto steps = static_cast<uint64_t>(before.epoch(clicks).steps);
    Training after(second, spec, clicks, {steps, 1});
    const auto hand_over = [&](const StoredTensors& from, const StoredTensors& to) {
      Snapshot snapshot;
      snapshot.take(*first.backend, from);
      snapshot.restore(*second.backend, to);
    };
    hand_over(first.parameters.tensors(), second.parameters.tensors());
    hand_over(before.optimiser.tensors(), after.optimiser.tensors());
    for (int e = 0; e < 2; ++e) after.epoch(clicks);
    CHECK(whole == second.values());
  }
}

TEST_CASE("snapshot: brings back what was taken, and refuses what was not") {
  Model model(small_model(EmbeddingMode::none), 1);
  const std::vector<float> before = model.values();
  Snapshot snapshot;
  CHECK_THROWS(Error, snapshot.restore(*model.backend, model.parameters.tensors()));
  snapshot.take(*model.backend, model.parameters.tensors());
  model.parameters.initialise({0.5, true, 3});
  CHECK(before != model.values());
  snapshot.restore(*model.backend, model.parameters.tensors());
  CHECK(before == model.values());
}

TEST_CASE("stored tensors: a part is read and written in its place, and nothing outside") {
  Model model(small_model(EmbeddingMode::shared), 1);
  const StoredTensor tensor = model.parameters.tensors()[0];
  const std::vector<float> before = model.values();
  const std::vector<float> part{1.0f, 2.0f, 3.0f};
  tensor.write(*model.backend, 5, 3, part.data());
  std::vector<float> expected = before;
  std::copy(part.begin(), part.end(), expected.begin() + 5);
  CHECK(expected == model.values());
  std::vector<float> read(3);
  tensor.read(*model.backend, 6, 2, read.data());
  CHECK(read[0] == 2.0f && read[1] == 3.0f);
  CHECK_THROWS(Error, tensor.read(*model.backend, tensor.size() - 1, 2, read.data()));
  CHECK_THROWS(Error, tensor.read(*model.backend, -1, 1, read.data()));
}

TEST_CASE("evaluation: the number of parallel sessions changes no rank") {
  const Clicks clicks(60);
  Model model(small_model(EmbeddingMode::shared), 2);
  const Cancellation never;
  const auto sorted_ranks = [&](int64_t batch) {
    EvaluationOptions options;
    options.batch = batch;
    std::vector<double> ranks = evaluate(model.parameters, clicks.sessions(), options, never);
    std::sort(ranks.begin(), ranks.end());
    return ranks;
  };
  const std::vector<double> one = sorted_ranks(1);
  CHECK_EQUAL(static_cast<size_t>(clicks.items.size()) - 60, one.size());
  for (int64_t batch : {2, 7, 60, 1000}) CHECK(one == sorted_ranks(batch));
}

TEST_CASE("recommend: a session alone gets the same bits as among others, in its own place") {
  const Clicks clicks(70);
  Model model(small_model(EmbeddingMode::separate), 2);
  const Cancellation never;
  RecommendOptions options;
  options.k = kItems;
  const Recommendations all = recommend(model.parameters, clicks.sessions(), options, never);
  for (int64_t s = 0; s < 70; ++s) {
    const Sessions alone{clicks.sessions().items, clicks.sessions().offsets.range(s, 2)};
    const Recommendations one = recommend(model.parameters, alone, options, never);
    CHECK(std::equal(one.items.begin(), one.items.end(), all.items.begin() + s * kItems));
    CHECK(std::equal(one.scores.begin(), one.scores.end(), all.scores.begin() + s * kItems));
  }
}

TEST_CASE("recommend: candidates of each session's own give what they give for all") {
  const Clicks clicks(9);
  for (ActivationKind final_act : {ActivationKind::softmax, ActivationKind::linear}) {
    ModelSpec spec = small_model(EmbeddingMode::shared);
    spec.final_act.kind = final_act;
    Model model(spec, 2);
    const Cancellation never;
    std::vector<int32_t> candidates, starts{0}, exclusions, exclusion_starts{0};
    for (int32_t s = 0; s < 9; ++s) {
      for (int32_t item = s; item < kItems && s != 4; item += s + 1) candidates.push_back(item);
      exclusions.push_back(2 * s + 1);
      starts.push_back(static_cast<int32_t>(candidates.size()));
      exclusion_starts.push_back(static_cast<int32_t>(exclusions.size()));
    }
    RecommendOptions own;
    own.k = 7;
    own.restricted = true;
    own.candidates = {candidates.data(), static_cast<int64_t>(candidates.size())};
    own.candidate_starts = {starts.data(), 10};
    own.exclusions = {exclusions.data(), 9};
    own.exclusion_starts = {exclusion_starts.data(), 10};
    const Recommendations all = recommend(model.parameters, clicks.sessions(), own, never);
    CHECK_EQUAL(kNoItem, all.items[4 * 7]);
    for (int64_t s = 0; s < 9; ++s) {
      RecommendOptions common = own;
      common.candidates = own.candidates.range(starts[s], starts[s + 1] - starts[s]);
      common.candidate_starts = {};
      common.exclusion_starts = own.exclusion_starts.range(s, 2);
      const Recommendations one =
          recommend(model.parameters, {clicks.sessions().items, clicks.sessions().offsets.range(s, 2)}, common, never);
      CHECK(std::equal(one.items.begin(), one.items.end(), all.items.begin() + s * 7));
      CHECK(std::equal(one.scores.begin(), one.scores.end(), all.scores.begin() + s * 7));
    }
  }
}

TEST_CASE("session slots: an event at a time gives the bits of whole sessions; a slot without an event stays") {
  for (EmbeddingMode embedding : {EmbeddingMode::none, EmbeddingMode::shared}) {
    Model model(small_model(embedding), 2);
    const Cancellation never;
    SessionSlots slots(model.parameters, 3);
    // Slot 0 reads 1 2 3, slot 1 reads 4, nothing, 5; slot 2 reads 6, begins anew with nothing, 7.
    const std::vector<std::vector<int32_t>> inputs{{1, 4, 6}, {2, kNoItem, kNoItem}, {3, 5, 7}};
    const std::vector<std::vector<uint8_t>> starts{{1, 1, 1}, {0, 0, 1}, {0, 0, 0}};
    const std::vector<std::vector<std::vector<int32_t>>> read{
        {{1}, {4}, {6}}, {{1, 2}, {4}, {}}, {{1, 2, 3}, {4, 5}, {7}}};
    for (size_t event = 0; event < inputs.size(); ++event) {
      std::vector<int32_t> items, offsets{0};
      for (const std::vector<int32_t>& session : read[event]) {
        items.insert(items.end(), session.begin(), session.end());
        offsets.push_back(static_cast<int32_t>(items.size()));
      }
      std::vector<float> expected(3 * kItems), actual(3 * kItems);
      predict(model.parameters, {{items.data(), static_cast<int64_t>(items.size())}, {offsets.data(), 4}}, {},
              {expected.data(), 3 * kItems}, never);
      // A call that fails changes nothing.
      const int32_t listed = 9;
      const float infinite = INFINITY, bias = 0.0f;
      const StoredTensors tensors = model.parameters.tensors();
      const auto biases =
          std::find_if(tensors.begin(), tensors.end(), [](const auto& t) { return t.name == "output.bias"; });
      biases->write(*model.backend, listed, 1, &infinite);
      const std::vector<int32_t> others{11, 12, 13};
      CHECK_THROWS(Error,
                   slots.next({others.data(), 3}, {starts[event].data(), 3}, {&listed, 1}, {actual.data(), 3}, never));
      biases->write(*model.backend, listed, 1, &bias);

      slots.next({inputs[event].data(), 3}, {starts[event].data(), 3}, {}, {actual.data(), 3 * kItems}, never);
      CHECK(expected == actual);
    }
  }
}

TEST_CASE("recommend and predict: softmax scores agree and sum to one") {
  const Clicks clicks(20);
  Model model(small_model(EmbeddingMode::shared), 1);
  const Cancellation never;
  RecommendOptions options;
  options.k = kItems;
  const Recommendations top = recommend(model.parameters, clicks.sessions(), options, never);
  std::vector<float> scores(20 * kItems);
  predict(model.parameters, clicks.sessions(), {}, {scores.data(), 20 * kItems}, never);
  for (int64_t s = 0; s < 20; ++s) {
    double sum = 0.0;
    for (int64_t j = 0; j < kItems; ++j) {
      sum += top.scores[s * kItems + j];
      // Two ways to the same probability, each a few roundings of float32.
      CHECK_NEAR(scores[s * kItems + top.items[s * kItems + j]], top.scores[s * kItems + j], 1e-6);
    }
    CHECK_NEAR(1.0, sum, 1e-5);
  }
}

}  // namespace
}  // namespace gru4rec::test
