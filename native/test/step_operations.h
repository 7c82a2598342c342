#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "backend/array.h"
#include "backend/backend.h"

/// The operations of a training step one by one, with data of their sizes, so that they can be timed: bench_step.cpp on
/// the CPU, native/gpu_check on a GPU.
namespace gru4rec::test {

struct StepSizes {
  int64_t batch, hidden, samples, items;
};

inline Array<float> random_floats(Backend& backend, int64_t size, float low, float high) {
  std::mt19937 generator(7);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> host(size);
  for (float& value : host) value = uniform(generator);
  Array<float> array(backend, size);
  array.upload({host.data(), size});
  return array;
}

/// Rows like those of a click log: item i about as often as 1 / (i + 20).
inline std::vector<uint32_t> skewed_support(int64_t items) {
  std::vector<uint32_t> support(items);
  for (int64_t i = 0; i < items; ++i) support[i] = static_cast<uint32_t>(1 + 20000 / (i + 20));
  return support;
}

/// A step of one layer in `shared` mode with dropout of the input and adagrad. The back end must outlive it.
class StepOperations {
 public:
  struct Operation {
    std::string name;
    std::function<void()> run;
  };

  StepOperations(Backend& backend, const StepSizes& sizes)
      : backend_(backend),
        sizes_(sizes),
        weight_(random_floats(backend, sizes.items * sizes.hidden, -0.1f, 0.1f)),
        weight_squares_(random_floats(backend, sizes.items * sizes.hidden, 0.0f, 0.1f)),
        bias_(random_floats(backend, sizes.items, -0.1f, 0.1f)),
        bias_squares_(random_floats(backend, sizes.items, 0.0f, 0.1f)),
        dense_(random_floats(backend, dense_size(), -0.1f, 0.1f)),
        dense_squares_(random_floats(backend, dense_size(), 0.0f, 0.1f)),
        dense_gradient_(backend, dense_size()),
        joined_(backend, sizes.batch * 3 * sizes.hidden),
        gates_(backend, sizes.batch * 3 * sizes.hidden),
        state_(backend, sizes.batch * sizes.hidden),
        state_gradient_(backend, sizes.batch * sizes.hidden),
        gate_gradients_(backend, sizes.batch * 3 * sizes.hidden),
        row_gradients_(backend, rows() * sizes.hidden),
        scores_(backend, sizes.batch * columns()),
        bias_gradient_(backend, columns()),
        row_losses_(backend, sizes.batch),
        log_support_(random_floats(backend, sizes.items, 0.0f, 8.0f)),
        totals_(backend, 1),
        cumulative_(backend, sizes.items),
        guide_(backend, SamplingTable::guide_size(sizes.items)),
        store_(backend, kStoredSteps * rows()),
        source_(backend, sizes.batch),
        group_count_(backend, 1),
        group_item_(backend, rows()),
        group_start_(backend, rows() + 1),
        group_occurrence_(backend, rows()) {
    const LossTotals no_loss;
    totals_.upload({&no_loss, 1});
    backend.fill(0.1f, state());
    const std::vector<uint32_t> support = skewed_support(sizes.items);
    const SamplingTable host_table({support.data(), sizes.items}, 0.75);
    cumulative_.upload({host_table.cumulative().data(), sizes.items});
    guide_.upload({host_table.guide().data(), guide_.size()});
    table_ = {cumulative_.data(), guide_.data(), host_table.view().guide_bits, sizes.items};
    // Targets and inputs are drawn like the samples.
    backend.draw_negatives(table_, {1, 0, 4}, store_.matrix(kStoredSteps, rows()));
    std::vector<int32_t> source(sizes.batch);
    for (int64_t i = 0; i < sizes.batch; ++i) source[i] = i % 8 == 0 ? -1 : static_cast<int32_t>(i);
    source_.upload({source.data(), sizes.batch});
  }

  /// Goes on to another step's items and dropout.
  void next() { ++step_; }

  int64_t columns() const { return sizes_.batch + sizes_.samples; }
  ConstMatrix weight() const { return weight_.matrix(sizes_.items, sizes_.hidden); }
  ConstMatrix bias() const { return bias_.matrix(sizes_.items, 1); }
  Matrix state() const { return state_.matrix(sizes_.batch, sizes_.hidden); }
  Matrix score_matrix() const { return scores_.matrix(sizes_.batch, columns()); }
  Span<float> row_losses() const { return row_losses_.span(); }
  Span<const int32_t> targets() const { return store_.span().range(0, sizes_.batch); }

  void draw_samples(int64_t steps) {
    backend_.draw_negatives(table_, {1, step_, 4}, MatrixView<int32_t>(store_.data(), steps, sizes_.samples, rows()));
  }
  void score() {
    const LogQ logq{log_support_.data(), 1.0f, 0.75f, sizes_.batch};
    backend_.scores(state(), weight(), bias(), scored(), logq, score_matrix());
  }

  /// All of a step but the samples, in the order of the step. They refer to this object.
  std::vector<Operation> operations() {
    const int64_t batch = sizes_.batch, hidden = sizes_.hidden;
    const Matrix input = trace().joined.col_range(hidden, hidden),
                 carried = trace().joined.col_range(2 * hidden, hidden);
    const Matrix input_gradient = row_gradients_.matrix(rows(), hidden).row_range(columns(), batch);
    return {
        {"gather_rows, dropout",
         [=] { backend_.gather_rows(weight(), all().range(columns(), batch), dropout(), input); }},
        {"carry_state", [=] { backend_.carry_state(state(), source_.span(), carried); }},
        {"gru_forward", [=] { backend_.gru_forward(layer(), {}, {}, trace(), state()); }},
        {"scores", [=] { score(); }},
        {"loss_gradient, cross-entropy",
         [=] {
           const Loss loss{LossKind::cross_entropy, 0.0f, 0.0f, {ActivationKind::softmax}};
           backend_.loss_gradient(loss, batch, nullptr, score_matrix(), row_losses());
         }},
        {"accumulate_loss", [=] { backend_.accumulate_loss(row_losses(), batch, nullptr, totals_.data()); }},
        {"scores_backward",
         [=] {
           backend_.scores_backward(score_matrix(), state(), weight(), scored(), state_gradient_.matrix(batch, hidden),
                                    row_gradients_.matrix(columns(), hidden), bias_gradient_.matrix(columns(), 1));
         }},
        {"gru_backward",
         [=] {
           backend_.gru_backward(layer(), trace(), {}, state_gradient_.matrix(batch, hidden),
                                 gate_gradients_.matrix(batch, 3 * hidden), input_gradient, {}, gradients());
         }},
        {"dropout_backward", [=] { backend_.dropout_backward(dropout(), input_gradient); }},
        {"group_rows", [=] { backend_.group_rows(all(), sizes_.items, groups()); }},
        {"update_dense",
         [=] {
           backend_.update_dense(kAdagrad, dense_gradient_.matrix(1, dense_size()), nullptr,
                                 {dense_.matrix(1, dense_size()), dense_squares_.matrix(1, dense_size()), {}, {}, {}});
         }},
        {"update_rows, weights",
         [=] {
           backend_.update_rows(
               kAdagrad, groups(), row_gradients_.matrix(rows(), hidden), nullptr,
               {weight_.matrix(sizes_.items, hidden), weight_squares_.matrix(sizes_.items, hidden), {}, {}, {}});
         }},
        {"update_rows, biases",
         [=] {
           backend_.update_rows(kAdagrad, groups(), bias_gradient_.matrix(columns(), 1), nullptr,
                                {bias_.matrix(sizes_.items, 1), bias_squares_.matrix(sizes_.items, 1), {}, {}, {}});
         }},
    };
  }

 private:
  static constexpr int64_t kStoredSteps = 64;
  static constexpr Optimiser kAdagrad{OptimiserKind::adagrad, 0.01f};

  int64_t rows() const { return columns() + sizes_.batch; }
  int64_t candidate_size() const { return 2 * sizes_.hidden * sizes_.hidden; }
  int64_t gates_size() const { return 2 * candidate_size(); }
  int64_t dense_size() const { return candidate_size() + gates_size() + 3 * sizes_.hidden; }
  /// Targets, samples and inputs of the step.
  Span<const int32_t> all() const {
    return store_.span().range(static_cast<int64_t>(step_ % kStoredSteps) * rows(), rows());
  }
  Span<const int32_t> scored() const { return all().range(0, columns()); }
  Dropout dropout() const { return make_dropout(0.1, random_stream(1, Purpose::input_dropout, step_)); }
  GruTrace trace() const {
    return {joined_.matrix(sizes_.batch, 3 * sizes_.hidden), gates_.matrix(sizes_.batch, 3 * sizes_.hidden)};
  }
  GruLayer layer() const {
    const int64_t hidden = sizes_.hidden;
    return {{dense_.data(), 2 * hidden, hidden},
            {dense_.data() + candidate_size(), 2 * hidden, 2 * hidden},
            {dense_.data() + candidate_size() + gates_size(), 1, 3 * hidden},
            {},
            {ActivationKind::tanh}};
  }
  GruGradients gradients() const {
    const int64_t hidden = sizes_.hidden;
    return {{dense_gradient_.data(), 2 * hidden, hidden},
            {dense_gradient_.data() + candidate_size(), 2 * hidden, 2 * hidden},
            {dense_gradient_.data() + candidate_size() + gates_size(), 1, 3 * hidden},
            {}};
  }
  RowGroups groups() const {
    return {group_count_.data(), group_item_.span(), group_start_.span(), group_occurrence_.span()};
  }

  Backend& backend_;
  StepSizes sizes_;
  Array<float> weight_, weight_squares_, bias_, bias_squares_, dense_, dense_squares_, dense_gradient_;
  Array<float> joined_, gates_, state_, state_gradient_, gate_gradients_, row_gradients_;
  Array<float> scores_, bias_gradient_, row_losses_, log_support_;
  Array<LossTotals> totals_;
  Array<uint64_t> cumulative_;
  Array<int32_t> guide_, store_, source_, group_count_, group_item_, group_start_, group_occurrence_;
  SamplingTableView table_;
  uint64_t step_ = 0;
};

}  // namespace gru4rec::test
