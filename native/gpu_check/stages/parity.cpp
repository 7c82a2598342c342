#include <algorithm>
#include <cmath>

#include "core/schedule.h"
#include "engine/recommender.h"
#include "gpu_check/configurations.h"
#include "gpu_check/network.h"
#include "gpu_check/stage.h"

/// Training on the GPU and on the CPU from the same weights: 200 steps of combinations of everything, a whole epoch of
/// larger data, and the ranks of one model on both.
namespace gru4rec::gpu_check {

namespace {

/// The bounds of test/parity/train-as-reference.ts.
constexpr double kLossBound = 1e-6;    ///< of an epoch's loss, relative
constexpr double kWeightBound = 1e-4;  ///< of a weight, relative to the largest of its matrix
/// That of test/parity/cuda.test.ts: how much two scores may differ by rounding.
constexpr double kScoreBound = 1e-5;
constexpr int64_t kSteps = 200;
/// Of whole epochs. With adagrad at the 0.1 of `npm run bench`, the first steps of a row, which are about as long for a
/// gradient of rounding as for any other, drive apart what differs by rounding: two instruction sets of the CPU end 22
/// times the bound of the weights apart on the generated log. At 0.01 it is a fortieth of the bound. How far it goes on
/// another log depends on how rare its items are, so that one is trained by sgd, where it is a hundredth.
constexpr Optimiser kGeneratedOptimiser{OptimiserKind::adagrad, 0.01f}, kFileOptimiser{OptimiserKind::sgd, 0.1f};

struct Combination {
  std::string name;
  ModelSpec model;
  TrainingSpec training;
};

ModelSpec model_of(EmbeddingMode embedding, std::vector<int64_t> layers, Activation final_act) {
  ModelSpec model;
  model.items = 53;
  model.layers = std::move(layers);
  model.embedding = embedding;
  model.embedding_size = 6;
  model.final_act = final_act;
  return model;
}

TrainingSpec training_of(LossKind loss, const ModelSpec& model, OptimiserKind optimiser, float learning_rate) {
  TrainingSpec training;
  training.loss = {loss, 0.0f, 1.0f, model.final_act};
  training.optimiser.kind = optimiser;
  training.optimiser.learning_rate = learning_rate;
  training.batch = 6;
  training.samples = 19;
  training.sample_store = 10000;
  training.precision = Precision::float32;
  return training;
}

/// Every loss, optimiser, embedding mode and reset form, dropouts, momentum, weight decay, clipping, logQ, widths
/// across warps: like those of test/parity/fixtures.ts.
std::vector<Combination> combinations() {
  const Activation softmax{ActivationKind::softmax}, logit{ActivationKind::softmax_logit}, linear;
  const Activation elu{ActivationKind::elu, 0.5f}, tanh{ActivationKind::tanh}, leaky{ActivationKind::leaky, 0.3f};
  std::vector<Combination> all;
  const auto add = [&](const char* name, const ModelSpec& model, LossKind loss, OptimiserKind optimiser, float rate,
                       auto change) {
    Combination made{name, model, training_of(loss, model, optimiser, rate)};
    change(made);
    all.push_back(made);
  };
  add("cross-entropy, shared, logq, both dropouts, momentum", model_of(EmbeddingMode::shared, {10}, softmax),
      LossKind::cross_entropy, OptimiserKind::adagrad, 0.05f, [](Combination& c) {
        c.training.logq = 1.0;
        c.training.dropout_embed = c.training.dropout_hidden = 0.2;
        c.training.optimiser.momentum = 0.4f;
      });
  add("bpr-max, shared, layers 17/33, reset after, both dropouts", model_of(EmbeddingMode::shared, {17, 33}, elu),
      LossKind::bpr_max, OptimiserKind::adagrad, 0.05f, [](Combination& c) {
        c.model.items = 257;
        c.model.reset_after = true;
        c.training.batch = 17;
        c.training.samples = 65;
        c.training.dropout_embed = 0.15;
        c.training.dropout_hidden = 0.3;
        c.training.optimiser.momentum = 0.1f;
      });
  add("top1-max, none, layers 6/8, reset after, adam, gradCap, lmbd", model_of(EmbeddingMode::none, {6, 8}, tanh),
      LossKind::top1_max, OptimiserKind::adam, 0.01f, [](Combination& c) {
        c.model.reset_after = true;
        c.training.grad_cap = 0.05;
        c.training.optimiser.lmbd = 0.01f;
        c.training.optimiser.second_decay = 0.999f;
        c.training.dropout_hidden = 0.15;
      });
  add("cross-entropy, separate, layers 9/5/7, rmsprop, lmbd", model_of(EmbeddingMode::separate, {9, 5, 7}, softmax),
      LossKind::cross_entropy, OptimiserKind::rmsprop, 0.005f, [](Combination& c) {
        c.training.optimiser.lmbd = 0.01f;
        c.training.logq = 0.5;
        c.training.loss.smoothing = 0.1f;
      });
  add("xe_logit, none, no samples", model_of(EmbeddingMode::none, {12}, logit), LossKind::xe_logit,
      OptimiserKind::adagrad, 0.1f, [](Combination& c) {
        c.training.samples = 0;
        c.training.batch = 9;
      });
  add("bpr, none, adadelta, gradCap, momentum", model_of(EmbeddingMode::none, {10}, linear), LossKind::bpr,
      OptimiserKind::adadelta, 1.0f, [](Combination& c) {
        c.training.grad_cap = 0.5;
        c.training.optimiser.momentum = 0.2f;
      });
  add("top1, shared, sgd, momentum", model_of(EmbeddingMode::shared, {10}, leaky), LossKind::top1, OptimiserKind::sgd,
      0.3f, [](Combination& c) { c.training.optimiser.momentum = 0.5f; });
  return all;
}

/// The largest of what was compared, each as a share of its bound: 1 is at the bound.
struct Worst {
  double loss = 0.0, weight = 0.0;
  std::string where;  ///< of the weight
};

/// A share of a bound; what is no number is beyond all bounds.
double share_of(double received, double expected, double bound) {
  if (received == expected) return 0.0;
  const double share = std::abs(received - expected) / bound;
  return std::isnan(share) ? HUGE_VAL : share;
}

void compare_weights(const Network& received, const Network& expected, Worst& worst) {
  const StoredTensors ours = received.parameters.tensors(), theirs = expected.parameters.tensors();
  for (size_t t = 0; t < theirs.size(); ++t) {
    std::vector<float> a(ours[t].size()), b(theirs[t].size());
    ours[t].read(*received.backend, 0, ours[t].size(), a.data());
    theirs[t].read(*expected.backend, 0, theirs[t].size(), b.data());
    double largest = 0.0;
    for (const float value : b) largest = std::max(largest, std::abs(double{value}));
    for (size_t i = 0; i < b.size(); ++i) {
      const double share = share_of(a[i], b[i], kWeightBound * largest);
      if (share <= worst.weight) continue;
      worst.weight = share;
      worst.where = theirs[t].name + "[" + std::to_string(i) + "]";
    }
  }
}

/// Trains both for at least `steps` steps of whole epochs.
Worst train_both(Network& gpu, Network& cpu, const TrainingSpec& spec, const Clicks& clicks, int64_t steps,
                 Report& report) {
  Worst worst;
  Training ours(gpu, spec, clicks), theirs(cpu, spec, clicks);
  for (int64_t done = 0; done < steps;) {
    const Progress received = ours.epoch(), expected = theirs.epoch();
    if (!report.expect(received.steps == expected.steps && received.events == expected.events && expected.steps > 0,
                       "expected as many steps and events as on the CPU"))
      break;
    worst.loss = std::max(worst.loss, share_of(received.loss, expected.loss, kLossBound * std::abs(expected.loss)));
    done += expected.steps;
  }
  compare_weights(gpu, cpu, worst);
  return worst;
}

void judge(const std::string& what, const Worst& worst, Report& report) {
  Json entry = Json::object();
  entry["name"] = what;
  entry["loss_share_of_bound"] = worst.loss;
  entry["weight_share_of_bound"] = worst.weight;
  entry["weight"] = worst.where;
  report.data["trainings"].push(entry);
  report.line("%-62s loss %.3f, weights %.3f of their bounds", what.c_str(), worst.loss, worst.weight);
  report.expect(worst.loss <= 1.0, what + ": expected losses within " + std::to_string(kLossBound) +
                                       " of the CPU's, received " + std::to_string(worst.loss) + " times as much");
  report.expect(worst.weight <= 1.0, what + ": expected weights within " + std::to_string(kWeightBound) +
                                         " of the largest of their matrix, received " + std::to_string(worst.weight) +
                                         " times as much at " + worst.where);
}

/// What a rank is about.
struct Asked {
  std::vector<int32_t> begin;  ///< of the session, up to the event before the target
  int32_t target;
};

/// What the ranks of `batch` sessions side by side are about, in their order.
std::vector<Asked> asked_of(const Clicks& clicks, int64_t batch) {
  const std::vector<int32_t> order = clicks.order();
  SessionsInOrder sessions(clicks.sessions(), {order.data(), clicks.count()});
  Schedule schedule(sessions, batch, 1);
  std::vector<Asked> asked;
  std::vector<std::vector<int32_t>> rows, before;
  for (ScheduleStep step; schedule.next(step);) {
    before.swap(rows);
    rows.clear();
    for (int64_t row = 0; row < step.input.size; ++row) {
      rows.push_back(step.source[row] < 0 ? std::vector<int32_t>() : before[step.source[row]]);
      rows.back().push_back(step.input[row]);
      asked.push_back({rows.back(), step.target[row]});
    }
  }
  return asked;
}

/// How many items beside the target score so near to it on the CPU that rounding may decide.
int64_t near_ones(const Network& cpu, const Asked& asked, int64_t items) {
  Clicks one;
  one.add(asked.begin);
  std::vector<float> scores(items);
  predict(cpu.parameters, one.sessions(), {}, {scores.data(), items}, Cancellation());
  const double own = scores[asked.target];
  int64_t near = -1;  // itself
  for (const float score : scores) near += std::abs(score - own) <= kScoreBound * std::max(1.0, std::abs(own));
  return near;
}

/// Ranks of one model on both, target by target: equal, unless other scores are within rounding of the target's.
void compare_ranks(const Network& gpu, const Network& cpu, const Clicks& clicks, int64_t batch, Json& entry,
                   Report& report) {
  const std::vector<double> ours = ranks_of(gpu, clicks, batch), theirs = ranks_of(cpu, clicks, batch);
  const std::string how = "ranks of " + std::to_string(batch) + " sessions side by side";
  if (!report.expect(!theirs.empty(), how + ": expected some to compare, received none")) return;
  const std::vector<Asked> asked = asked_of(clicks, batch);
  if (!report.expect(ours.size() == theirs.size() && ours.size() == asked.size(),
                     how + ": expected as many as on the CPU"))
    return;
  int64_t different = 0, wrong = 0;
  for (size_t target = 0; target < ours.size(); ++target) {
    if (ours[target] == theirs[target]) continue;
    ++different;
    wrong +=
        !(std::abs(ours[target] - theirs[target]) <= static_cast<double>(near_ones(cpu, asked[target], clicks.items)));
  }
  Json ranks = Json::object();
  ranks["batch"] = batch;
  ranks["ranks"] = ours.size();
  ranks["ranks_that_differ"] = different;
  entry.push(ranks);
  report.line("%s: %zu, %lld of them not the CPU's", how.c_str(), ours.size(), static_cast<long long>(different));
  report.expect(wrong == 0, how + ": expected the CPU's but for scores within rounding, received " +
                                std::to_string(wrong) + " others");
}

/// The sessions of the test and, until there are so many, of the training.
Clicks some_sessions(const Log& log, int64_t most) {
  Clicks some;
  some.items = log.test.items;
  for (const Clicks* clicks : {&log.test, &log.train})
    for (int64_t s = 0; s < clicks->count() && some.count() < most; ++s)
      some.add({clicks->events.begin() + clicks->offsets[s], clicks->events.begin() + clicks->offsets[s + 1]});
  return some;
}

/// A whole epoch of the network that `npm run bench` measures, and ranks with what came of it.
void train_on(const Log& log, const Optimiser& optimiser, const Options& options, Report& report) {
  Configuration configuration = published_configurations().front();
  if (options.small) configuration = smaller(configuration);
  configuration.model.items = log.train.items;
  configuration.training.precision = Precision::float32;
  configuration.training.optimiser = optimiser;
  Network gpu(configuration.model, options.device), cpu(configuration.model, cpu_device());
  judge("a whole epoch: " + log.name, train_both(gpu, cpu, configuration.training, log.train, 1, report), report);
  // Raw scores are compared: predict applies the final activation.
  ModelSpec raw = configuration.model;
  raw.final_act.kind = ActivationKind::softmax_logit;
  Network gpu_scores(raw, options.device), cpu_scores(raw, cpu_device());
  copy_parameters(cpu, cpu_scores);
  copy_parameters(cpu, gpu_scores);
  // With one session after the other, with a batch that is usual, and with one that is ranked in pieces where rankings
  // are. All have more sessions than the batch, so that some end in it and others begin.
  Json entry = Json::object();
  entry["data"] = log.name;
  entry["batches"] = Json::array();
  constexpr int64_t kSide[] = {1, 100, 500}, kSmallSide[] = {1, 8, 20};
  for (const int64_t batch : options.small ? kSmallSide : kSide)
    compare_ranks(gpu_scores, cpu_scores, some_sessions(log, std::max<int64_t>(options.small ? 10 : 60, batch * 3 / 2)),
                  batch, entry["batches"], report);
  report.data["rankings"].push(entry);
}

}  // namespace

void check_parity(const Options& options, Report& report) {
  report.data["loss_bound"] = kLossBound;
  report.data["weight_bound"] = kWeightBound;
  report.data["trainings"] = Json::array();
  report.data["rankings"] = Json::array();
  DeviceOptions own_products = options.device;
  own_products.cublas_path = "none";
  std::vector<Combination> all = combinations();
  if (options.small) all.resize(2);
  for (const Combination& c : all) {
    if (!report.time_for(c.name)) continue;
    const Clicks clicks = random_clicks(70, 8, c.model.items, 1);
    Network cpu(c.model, cpu_device()), gpu(c.model, options.device);
    judge(c.name, train_both(gpu, cpu, c.training, clicks, kSteps, report), report);
    if (&c != &all.front()) continue;
    Network other_cpu(c.model, cpu_device()), other_gpu(c.model, own_products);
    judge("own products: " + c.name, train_both(other_gpu, other_cpu, c.training, clicks, kSteps, report), report);
  }
  if (report.time_for("a whole epoch on generated data"))
    train_on(options.small ? generate_log(80, 60, 3) : generate_log(5000, 2000, 3), kGeneratedOptimiser, options,
             report);
  constexpr int64_t kMostEvents = 25000, kFewEvents = 400;
  if (!options.data.empty() && report.time_for("a whole epoch on " + options.data))
    train_on(read_log(options.data, options.small ? kFewEvents : kMostEvents), kFileOptimiser, options, report);
}

}  // namespace gru4rec::gpu_check
