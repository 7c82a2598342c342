#include "gpu_check/step.h"

#include <stdexcept>

namespace gru4rec::gpu_check {

namespace {

Array<float> filled(Backend& backend, int64_t size, float value) {
  Array<float> array(backend, size);
  if (size > 0) backend.fill(value, array.matrix(1, size));
  return array;
}

int64_t dense_size(int64_t hidden) { return 6 * hidden * hidden + 3 * hidden; }

}  // namespace

ConfiguredStep::Trained::Trained(Backend& backend, const Optimiser& optimiser, int64_t rows, int64_t cols)
    : rows(rows),
      cols(cols),
      value(filled(backend, rows * cols, 0.1f)),
      squares(filled(backend, rows * cols, 0.1f)),
      velocity(filled(backend, optimiser.momentum > 0.0f ? rows * cols : 0, 0.0f)) {
  if (optimiser.kind != OptimiserKind::adagrad)
    throw std::logic_error("Expected a configuration with adagrad, as all published ones are");
}

TrainableMatrix ConfiguredStep::Trained::view() const {
  return {value.matrix(rows, cols),
          squares.matrix(rows, cols),
          {},
          velocity.size() > 0 ? velocity.matrix(rows, cols) : Matrix(),
          {}};
}

ConfiguredStep::ConfiguredStep(Backend& backend, const Configuration& c)
    : backend_(backend),
      configuration_(c),
      shared_(backend, {c.training.batch, c.model.hidden(), c.training.samples, c.model.items}),
      dense_(backend, c.training.optimiser, 1, dense_size(c.model.hidden())),
      weight_(backend, c.training.optimiser, c.model.items, c.model.hidden()),
      bias_(backend, c.training.optimiser, c.model.items, 1),
      dense_gradient_(filled(backend, dense_.cols, 1e-3f)),
      row_gradients_(filled(backend, rows() * c.model.hidden(), 1e-3f)),
      bias_gradients_(filled(backend, columns(), 1e-3f)),
      cumulative_(backend, c.model.items),
      guide_(backend, SamplingTable::guide_size(c.model.items)),
      feed_rows_(backend, StepFeed::row_size(c.training.batch)),
      items_(backend, rows()),
      source_(backend, c.training.batch),
      state_(backend, 1),
      group_count_(backend, 1),
      group_item_(backend, rows()),
      group_start_(backend, rows() + 1),
      group_occurrence_(backend, rows()) {
  const std::vector<uint32_t> support = test::skewed_support(c.model.items);
  const SamplingTable table({support.data(), c.model.items}, c.training.sample_alpha);
  cumulative_.upload({table.cumulative().data(), c.model.items});
  guide_.upload({table.guide().data(), guide_.size()});
  table_ = {cumulative_.data(), guide_.data(), table.view().guide_bits, c.model.items};
  // A full step; one session in eight begins.
  std::vector<int32_t> row{static_cast<int32_t>(batch())};
  const RandomStream stream = random_stream(1, Purpose::shuffle, 0);
  for (int64_t i = 0; i < 2 * batch(); ++i)
    row.push_back(sample_item(table.view(), uint64_t{random_word(stream, static_cast<uint64_t>(i))} << 32));
  for (int64_t i = 0; i < batch(); ++i) row.push_back(i % 8 == 0 ? -1 : static_cast<int32_t>(i));
  feed_rows_.upload({row.data(), feed_rows_.size()});
  const StepState begin;
  state_.upload({&begin, 1});
  backend.begin_step(feed());
  backend.group_rows(items_.span(), c.model.items, groups());
}

StepFeed ConfiguredStep::feed() const {
  StepFeed feed;
  feed.rows = feed_rows_.matrix(1, feed_rows_.size());
  feed.table = table_;
  feed.seed = configuration_.training.seed;
  feed.samples = configuration_.training.samples;
  feed.state = state_.data();
  feed.items = items_.span();
  feed.source = source_.span();
  return feed;
}

RowGroups ConfiguredStep::groups() const {
  return {group_count_.data(), group_item_.span(), group_start_.span(), group_occurrence_.span()};
}

std::vector<ConfiguredStep::Operation> ConfiguredStep::operations() {
  const TrainingSpec& training = configuration_.training;
  std::vector<Operation> own{
      {std::string("loss_gradient, ") + (training.loss.kind == LossKind::bpr_max ? "bpr-max" : "cross-entropy"),
       [=] {
         backend_.loss_gradient(configuration_.training.loss, batch(), &state_.data()->active, shared_.score_matrix(),
                                shared_.row_losses());
       }},
      {"update_dense",
       [=] { backend_.update_dense(optimiser(), dense_gradient_.matrix(1, dense_.cols), nullptr, dense_.view()); }},
      {"update_rows, weights",
       [=] {
         backend_.update_rows(optimiser(), groups(), row_gradients_.matrix(rows(), weight_.cols), nullptr,
                              weight_.view());
       }},
      {"update_rows, biases",
       [=] {
         backend_.update_rows(optimiser(), groups(), bias_gradients_.matrix(columns(), 1), nullptr, bias_.view());
       }},
  };
  std::vector<Operation> all{{"begin_step", [=] { backend_.begin_step(feed()); }}};
  size_t replaced = 0;
  for (Operation& operation : shared_.operations()) {
    const auto kind = [](const Operation& o) {
      return o.name.rfind("loss_gradient", 0) == 0 ? std::string("loss_gradient") : o.name;
    };
    if (replaced < own.size() && kind(operation) == kind(own[replaced])) {
      all.push_back(own[replaced++]);
    } else if (training.dropout_embed > 0.0 || operation.name != "dropout_backward") {
      all.push_back(operation);
    }
  }
  if (replaced != own.size())
    throw std::logic_error("Expected the operations of a step to have " + own[replaced].name + ", but they have not");
  return all;
}

}  // namespace gru4rec::gpu_check
