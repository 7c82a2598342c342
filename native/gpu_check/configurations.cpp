#include "gpu_check/configurations.h"

#include <algorithm>
#include <cstdio>

namespace gru4rec::gpu_check {

namespace {

/// Parameters and speed: the results that 2307.14956 ("The effect of third party implementations on reproducibility")
/// publishes for the author's own version, its rows "GRU4Rec Official, Best params" (there "constrained_embedding" is
/// TRUE, "optim" adagrad, "n_sample" 2048, and the speed is "Avg. mb/s"); the first is the one that `npm run bench`
/// measures. Items: 37,483 in 1511.06939 (RSC15, which Yoochoose prepares anew); the others are assumed.
struct Row {
  const char* name;
  LossKind loss;
  float elu;  ///< of the final activation, bpr-max only
  int64_t hidden, batch;
  double dropout_embed, dropout_hidden;
  float learning_rate, momentum;
  double sample_alpha;
  float bpreg;
  double logq;
  double published;
  int64_t items;
  bool assumed_items;
};

constexpr LossKind kCrossEntropy = LossKind::cross_entropy, kBprMax = LossKind::bpr_max;
constexpr Row kRows[] = {
    {"bench-100-32", kCrossEntropy, 0.0f, 100, 32, 0.1, 0.0, 0.1f, 0.0f, 0.75, 0.0f, 1.0, 0.0, 37483, false},
    {"yoochoose-xe-480-48", kCrossEntropy, 0.0f, 480, 48, 0.0, 0.2, 0.07f, 0.0f, 0.2, 0.0f, 1.0, 991.99, 37483, false},
    {"rees46-xe-512-240", kCrossEntropy, 0.0f, 512, 240, 0.45, 0.0, 0.065f, 0.0f, 0.5, 0.0f, 1.0, 650.91, 200000, true},
    {"coveo-bprmax-512-144", kBprMax, 1.0f, 512, 144, 0.35, 0.0, 0.05f, 0.4f, 0.2, 1.85f, 0.0, 704.14, 20000, true},
    {"retailrocket-bprmax-224-80", kBprMax, 0.5f, 224, 80, 0.5, 0.05, 0.05f, 0.4f, 0.4, 1.95f, 0.0, 1019.34, 50000,
     true},
    {"diginetica-bprmax-512-128", kBprMax, 1.0f, 512, 128, 0.5, 0.3, 0.05f, 0.15f, 0.3, 0.9f, 0.0, 639.87, 50000, true},
};
constexpr int64_t kSamples = 2048;

/// The author's parameter string, as the README of his PyTorch version shows them.
std::string parameter_string(const Configuration& c) {
  const TrainingSpec& t = c.training;
  char text[512];
  std::snprintf(text, sizeof text,
                "loss=%s,constrained_embedding=True,embedding=0,elu_param=%g,layers=%lld,n_epochs=1,batch_size=%lld,"
                "dropout_p_embed=%g,dropout_p_hidden=%g,learning_rate=%g,momentum=%g,n_sample=%lld,sample_alpha=%g,"
                "bpreg=%g,logq=%g",
                t.loss.kind == kBprMax ? "bpr-max" : "cross-entropy",
                static_cast<double>(t.loss.kind == kBprMax ? t.loss.final_act.alpha : 0.0f),
                static_cast<long long>(c.model.hidden()), static_cast<long long>(t.batch), t.dropout_embed,
                t.dropout_hidden, static_cast<double>(t.optimiser.learning_rate),
                static_cast<double>(t.optimiser.momentum), static_cast<long long>(t.samples), t.sample_alpha,
                static_cast<double>(t.loss.bpreg), t.logq);
  return text;
}

Configuration configuration_of(const Row& row) {
  Configuration c;
  c.name = row.name;
  c.model.items = row.items;
  c.model.layers = {row.hidden};
  c.model.embedding = EmbeddingMode::shared;
  c.model.final_act.kind = row.loss == kBprMax ? ActivationKind::elu : ActivationKind::softmax;
  if (row.loss == kBprMax) c.model.final_act.alpha = row.elu;
  c.training.loss = {row.loss, 0.0f, row.bpreg, c.model.final_act};
  c.training.optimiser.learning_rate = row.learning_rate;
  c.training.optimiser.momentum = row.momentum;
  c.training.batch = row.batch;
  c.training.samples = kSamples;
  c.training.sample_alpha = row.sample_alpha;
  c.training.logq = row.logq;
  c.training.dropout_embed = row.dropout_embed;
  c.training.dropout_hidden = row.dropout_hidden;
  c.published = row.published;
  c.assumed_items = row.assumed_items;
  c.parameters = parameter_string(c);
  return c;
}

}  // namespace

const std::vector<Configuration>& published_configurations() {
  static const std::vector<Configuration> all = [] {
    std::vector<Configuration> made;
    for (const Row& row : kRows) made.push_back(configuration_of(row));
    return made;
  }();
  return all;
}

Configuration smaller(Configuration c) {
  constexpr int64_t kItems = 200, kHidden = 24, kBatch = 8, kSmallSamples = 40, kStore = 4000;
  c.model.items = std::min(c.model.items, kItems);
  c.model.layers = {std::min(c.model.hidden(), kHidden)};
  c.training.batch = std::min(c.training.batch, kBatch);
  c.training.samples = std::min(c.training.samples, kSmallSamples);
  c.training.sample_store = kStore;
  c.parameters = parameter_string(c);
  return c;
}

}  // namespace gru4rec::gpu_check
