#include "core/model_spec.h"

#include <cmath>
#include <sstream>

#include "core/error.h"

namespace gru4rec {

namespace {

constexpr int64_t kMaxItems = 2147483647;
constexpr int64_t kMaxStepsPerLaunch = 256;
constexpr int64_t kMaxBptt = 1000;
constexpr int64_t kMaxWidth = 65536;

template <class T>
void expect(bool condition, const char* name, const char* expected, const T& received) {
  if (condition) return;
  std::ostringstream message;
  message << "Expected " << name << " to be " << expected << " but received " << received;
  throw Error(ErrorCode::config, message.str());
}

bool is_softmax(ActivationKind kind) {
  return kind == ActivationKind::softmax || kind == ActivationKind::softmax_logit;
}

}  // namespace

const char* name(Precision precision) {
  switch (precision) {
    case Precision::tf32:
      return "tf32";
    case Precision::bf16:
      return "bf16";
    default:
      return "float32";
  }
}

void validate(const ModelSpec& spec) {
  expect(spec.items >= 1 && spec.items <= kMaxItems, "the number of items", "from 1 to 2147483647", spec.items);
  expect(!spec.layers.empty(), "layers", "a list of at least one width", "none");
  for (int64_t hidden : spec.layers)
    expect(hidden >= 1 && hidden <= kMaxWidth, "a layer's width", "from 1 to 65536", hidden);
  if (spec.embedding == EmbeddingMode::separate)
    expect(spec.embedding_size >= 1 && spec.embedding_size <= kMaxWidth, "the embedding size", "from 1 to 65536",
           spec.embedding_size);
  expect(!is_softmax(spec.hidden_act.kind), "hiddenAct", "an activation of single units", "a softmax");
}

void validate(const TrainingSpec& spec) {
  const auto probability = [](double p) { return p >= 0.0 && p < 1.0; };
  const auto finite_from_zero = [](double x) { return x >= 0.0 && std::isfinite(x); };
  const Optimiser& optimiser = spec.optimiser;
  expect(spec.batch >= 1 && spec.batch <= kMaxWidth, "batchSize", "from 1 to 65536", spec.batch);
  expect(spec.samples >= 0 && spec.samples <= kMaxItems / 2, "nSample", "from 0 to 1073741823", spec.samples);
  expect(spec.batch > 1 || spec.samples > 0, "batchSize", "at least 2 without negative samples", spec.batch);
  expect(spec.bptt >= 1 && spec.bptt <= kMaxBptt, "bptt", "from 1 to 1000", spec.bptt);
  expect(spec.sample_store >= 0, "sampleStore", "at least 0", spec.sample_store);
  const int64_t steps = spec.steps_per_launch.value_or(1);
  expect(steps >= 0 && steps <= kMaxStepsPerLaunch, "stepsPerLaunch", "from 0 to 256", steps);
  expect(std::isfinite(spec.sample_alpha), "sampleAlpha", "a finite number", spec.sample_alpha);
  expect(spec.logq >= 0.0 && spec.logq <= 1.0, "logq", "from 0 to 1", spec.logq);
  expect(probability(spec.dropout_embed), "dropoutEmbed", "at least 0 and below 1", spec.dropout_embed);
  expect(probability(spec.dropout_hidden), "dropoutHidden", "at least 0 and below 1", spec.dropout_hidden);
  expect(finite_from_zero(spec.grad_cap), "gradCap", "at least 0", spec.grad_cap);
  expect(optimiser.learning_rate > 0.0f && std::isfinite(optimiser.learning_rate), "learningRate", "above 0",
         optimiser.learning_rate);
  expect(finite_from_zero(optimiser.momentum), "momentum", "at least 0", optimiser.momentum);
  expect(finite_from_zero(optimiser.lmbd), "lmbd", "at least 0", optimiser.lmbd);
  expect(optimiser.kind != OptimiserKind::adadelta || optimiser.learning_rate == 1.0f, "learningRate",
         "1 with adadelta", optimiser.learning_rate);
  const LossKind loss = spec.loss.kind;
  const ActivationKind act = spec.loss.final_act.kind;
  expect((loss == LossKind::cross_entropy) == (act == ActivationKind::softmax), "finalAct",
         "softmax with cross-entropy and with no other loss", "another pair");
  expect((loss == LossKind::xe_logit) == (act == ActivationKind::softmax_logit), "finalAct",
         "softmax_logit with xe_logit and with no other loss", "another pair");
}

}  // namespace gru4rec
