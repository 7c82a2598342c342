#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model_spec.h"
#include "reference/gru.h"
#include "reference/loss.h"
#include "reference/scores.h"
#include "reference/table.h"

/// A whole training step of GRU4Rec, from items to the loss and back (docs/model.md).
namespace gru4rec::reference {

template <class T>
struct Model {
  EmbeddingMode embedding = EmbeddingMode::shared;
  Activation hidden_act;
  std::vector<GruParameters<T>> layers;
  Table<T> wy;     ///< [I, H]
  Table<T> by;     ///< [I, 1]
  Table<T> input;  ///< E or Wx0; empty in `shared` mode

  const Table<T>& input_table() const { return embedding == EmbeddingMode::shared ? wy : input; }
};

/// What a step is given, apart from the parameters.
template <class T>
struct StepInput {
  Loss loss;
  int64_t batch = 0;             ///< divisor of the loss
  std::vector<int32_t> in;       ///< [M]
  std::vector<int32_t> out;      ///< [M + N], targets, then samples
  std::vector<Table<T>> states;  ///< [M, H] of each layer
  Table<T> input_mask;           ///< [M, D] dropout factors; not used in `none` mode
  std::vector<Table<T>> masks;   ///< [M, H] of each layer
  std::vector<T> log_support;    ///< [I]
  double logq = 0.0, alpha = 0.0;
};

template <class T>
struct StepResult {
  std::vector<GruStep<T>> layers;
  Table<T> scores;  ///< [M, C], corrected
  T loss{0.0};      ///< sum of the rows / batch
};

template <class T>
StepResult<T> forward(const Model<T>& model, const StepInput<T>& step) {
  const int64_t rows = static_cast<int64_t>(step.in.size());
  const Table<T>& table = model.input_table();
  Table<T> x(rows, table.cols);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t d = 0; d < table.cols; ++d) x(i, d) = table(step.in[i], d);

  StepResult<T> result;
  Table<T> input_gates;
  if (model.embedding == EmbeddingMode::none) {
    input_gates = x;
    x = Table<T>(rows, 0);
  } else {
    x = times(x, step.input_mask);
  }
  for (size_t l = 0; l < model.layers.size(); ++l) {
    result.layers.push_back(
        gru_forward(model.layers[l], model.hidden_act, input_gates, x, step.states[l], step.masks[l]));
    x = result.layers[l].hidden;
    input_gates = Table<T>();
  }
  result.scores = scores(x, model.wy, model.by, step.out);
  if (step.logq > 0.0) correct_for_popularity(step.logq, step.alpha, step.log_support, step.out, rows, result.scores);
  Total<T> total;
  for (int64_t i = 0; i < rows; ++i)
    total.add(row_loss(step.loss, block(result.scores, i, 1, 0, result.scores.cols).data, i));
  result.loss = total.sum() / T(static_cast<double>(step.batch));
  return result;
}

/// Gradients by every parameter, in the shape of the model: rows of the tables hold the sums over all their uses.
template <class T>
Model<T> backward(const Model<T>& model, const StepInput<T>& step, const StepResult<T>& result) {
  Model<T> gradient{model.embedding,
                    model.hidden_act,
                    {},
                    Table<T>(model.wy.rows, model.wy.cols),
                    Table<T>(model.by.rows, 1),
                    Table<T>(model.input.rows, model.input.cols)};
  gradient.layers.resize(model.layers.size());
  const Table<T>& hidden = result.layers.back().hidden;
  const LossResult<T> loss = loss_gradient(step.loss, step.batch, result.scores);
  const ScoresBackward<T> output = scores_backward(loss.gradient, hidden, model.wy, step.out);

  Table<T> flowing = output.hidden, gates;
  for (size_t l = model.layers.size(); l-- > 0;) {
    const GruBackward<T> back = gru_backward(model.layers[l], model.hidden_act, result.layers[l], flowing);
    gradient.layers[l] = back.parameters;
    flowing = back.x;
    gates = back.gates;
  }
  const bool none = model.embedding == EmbeddingMode::none;
  const Table<T> inputs = none ? gates : times(flowing, step.input_mask);
  Table<T>& table = model.embedding == EmbeddingMode::shared ? gradient.wy : gradient.input;

  const auto scatter = [](const Table<T>& rows, const std::vector<int32_t>& items, Table<T>& into) {
    for (int64_t i = 0; i < rows.rows; ++i)
      for (int64_t d = 0; d < rows.cols; ++d) into(items[i], d) = into(items[i], d) + rows(i, d);
  };
  scatter(output.weight, step.out, gradient.wy);
  scatter(output.bias, step.out, gradient.by);
  scatter(inputs, step.in, table);
  return gradient;
}

/// Calls visit(name, table) for every parameter matrix.
template <class T, class F>
void for_each_matrix(Model<T>& model, F visit) {
  for (size_t l = 0; l < model.layers.size(); ++l) {
    GruParameters<T>& p = model.layers[l];
    const std::string layer = "layer " + std::to_string(l) + " ";
    visit(layer + "Wxc", p.wxc);
    visit(layer + "Wxr", p.wxr);
    visit(layer + "Wxz", p.wxz);
    visit(layer + "Whc", p.whc);
    visit(layer + "Whr", p.whr);
    visit(layer + "Whz", p.whz);
    visit(layer + "bc", p.bc);
    visit(layer + "br", p.br);
    visit(layer + "bz", p.bz);
    visit(layer + "bhc", p.bhc);
  }
  visit(std::string("Wy"), model.wy);
  visit(std::string("By"), model.by);
  visit(std::string("input"), model.input);
}

}  // namespace gru4rec::reference
