#include "core/sampling_table.h"
#include "core/schedule.h"
#include "count_allocations.h"
#include "device_layer.h"
#include "losses.h"

/// A training step allocates nothing once it is warm.
namespace gru4rec::test {

namespace {

constexpr int64_t kItems = 500, kRows = 32, kSamples = 300, kWidth = 100, kColumns = kRows + kSamples;
constexpr uint64_t kSeed = 1;

/// The buffers of a training step and what it computes with them, without anything else.
class TrainingStep {
 public:
  TrainingStep(Backend& backend, Data& data, const Loss& loss, const Optimiser& optimiser, bool reset_after)
      : backend_(backend),
        loss_(loss),
        optimiser_(optimiser),
        support_(kItems, 3),
        sampling_({support_.data(), kItems}, 0.5),
        cumulative_(backend, sampling_.cumulative()),
        guide_(backend, sampling_.guide()),
        layer_(backend, random_layer(data, kWidth, kWidth, reset_after, {ActivationKind::tanh, 1.0f, 1.0f}), kRows, 0),
        weight_(backend, data.table(kItems, kWidth, 1.0)),
        bias_(backend, data.table(kItems, 1, 1.0)),
        log_support_(backend, data.table(1, kItems, 1.0).data),
        items_(backend, data.items(kColumns + kRows, kItems)),
        source_(backend, std::vector<int32_t>(kRows, -1)),
        scores_(backend, kRows, kColumns),
        row_losses_(backend, kRows),
        totals_(backend, std::vector<LossTotals>{LossTotals()}),
        hidden_gradient_(backend, kRows, kWidth),
        row_gradients_(backend, kColumns + kRows, kWidth),
        bias_gradient_(backend, kColumns, 1),
        count_(backend, 1),
        item_(backend, kColumns + kRows),
        start_(backend, kColumns + kRows + 1),
        occurrence_(backend, kColumns + kRows),
        total_(backend, std::vector<double>{0.0}),
        scale_(backend, 1),
        table_states_{{backend, Table<float>(kItems, kWidth)},
                      {backend, Table<float>(kItems, kWidth)},
                      {backend, Table<float>(kItems, kWidth)}},
        bias_states_{
            {backend, Table<float>(kItems, 1)}, {backend, Table<float>(kItems, 1)}, {backend, Table<float>(kItems, 1)}},
        dense_states_{{backend, Table<float>(2 * kWidth, kWidth)},
                      {backend, Table<float>(2 * kWidth, kWidth)},
                      {backend, Table<float>(2 * kWidth, kWidth)}},
        updates_(backend, std::vector<int32_t>(kItems)) {}

  void run(uint64_t step) {
    const Span<int32_t> items = items_.span();
    const Span<const int32_t> out = items.range(0, kColumns), in = items.range(kColumns, kRows);
    const Dropout input_dropout = make_dropout(0.2, random_stream(kSeed, Purpose::input_dropout, step));
    const Dropout hidden_dropout = make_dropout(0.2, random_stream(kSeed, Purpose::hidden_dropout, step));
    backend_.draw_negatives({cumulative_.data(), guide_.data(), sampling_.view().guide_bits, kItems},
                            random_stream(kSeed, Purpose::negatives, step), {items.data + kRows, 1, kSamples});
    backend_.carry_state(layer_.hidden, source_.span(), layer_.state());
    backend_.gather_rows(weight_, in, input_dropout, layer_.input());
    backend_.gru_forward(layer_.layer, {}, hidden_dropout, layer_.trace(), layer_.hidden);
    backend_.scores(layer_.hidden, weight_, bias_, out, {log_support_.data(), 1.0f, 0.5f, kRows}, scores_);
    backend_.loss_gradient(loss_, kRows, nullptr, scores_, row_losses_.span());
    backend_.accumulate_loss(row_losses_.span(), kRows, nullptr, totals_.data());
    const Matrix input_gradient = row_gradients_.view().row_range(kColumns, kRows);
    backend_.scores_backward(scores_, layer_.hidden, weight_, out, hidden_gradient_,
                             row_gradients_.view().row_range(0, kColumns), bias_gradient_);
    backend_.gru_backward(layer_.layer, layer_.trace(), hidden_dropout, hidden_gradient_, layer_.gate_gradients,
                          input_gradient, {}, layer_.gradients());
    backend_.dropout_backward(input_dropout, input_gradient);
    const RowGroups groups{count_.data(), item_.span(), start_.span(), occurrence_.span()};
    backend_.group_rows(items_.span(), kItems, groups);
    backend_.add_squared_norm(layer_.candidate_gradient, total_.data());
    backend_.add_squared_norm_rows(groups, row_gradients_, total_.data());
    backend_.clip_scale(1.0, total_.data(), scale_.data());
    backend_.update_dense(
        optimiser_, layer_.candidate_gradient, scale_.data(),
        {layer_.candidate, dense_states_[0], dense_states_[1], dense_states_[2], updates_.span().range(0, 1)});
    backend_.update_rows(optimiser_, groups, row_gradients_, scale_.data(),
                         {weight_, table_states_[0], table_states_[1], table_states_[2], updates_.span()});
    backend_.update_rows(optimiser_, groups, bias_gradient_, scale_.data(),
                         {bias_, bias_states_[0], bias_states_[1], bias_states_[2], updates_.span()});
    backend_.synchronize();
  }

 private:
  Backend& backend_;
  Loss loss_;
  Optimiser optimiser_;
  std::vector<uint32_t> support_;
  SamplingTable sampling_;
  DeviceVector<uint64_t> cumulative_;
  DeviceVector<int32_t> guide_;
  DeviceLayer layer_;
  DeviceMatrix weight_, bias_;
  DeviceVector<float> log_support_;
  DeviceVector<int32_t> items_, source_;
  DeviceMatrix scores_;
  DeviceVector<float> row_losses_;
  DeviceVector<LossTotals> totals_;
  DeviceMatrix hidden_gradient_, row_gradients_, bias_gradient_;
  DeviceVector<int32_t> count_, item_, start_, occurrence_;
  DeviceVector<double> total_;
  DeviceVector<float> scale_;
  DeviceMatrix table_states_[3], bias_states_[3], dense_states_[3];
  DeviceVector<int32_t> updates_;
};

bool is_cpu(const Backend& backend) { return backend.description().rfind("cpu", 0) == 0; }

}  // namespace

TEST_CASE("allocations: the counter counts") {
  const int64_t before = allocations_so_far();
  std::vector<float> memory(1000, 1.0f);
  CHECK(memory[999] == 1.0f);
  CHECK(allocations_so_far() > before);
}

OPERATION_TEST("allocations: a warm training step makes none, for every loss, optimiser and reset form") {
  Data data(1);
  const OptimiserKind kinds[] = {OptimiserKind::adagrad, OptimiserKind::sgd, OptimiserKind::rmsprop,
                                 OptimiserKind::adadelta, OptimiserKind::adam};
  const bool on_cpu = is_cpu(backend);
  // Allocations of a GPU show in what it has left.
  const auto count = [&] { return on_cpu ? allocations_so_far() : backend.memory().free; };
  size_t turn = 0;
  for (const NamedLoss& named : all_losses())
    for (const bool reset_after : {false, true}) {
      const OptimiserKind kind = kinds[turn++ % std::size(kinds)];
      // A GPU's work space depends on shapes and on whether the optimiser is adam; emulated steps take long.
      if (!on_cpu && turn % 7 != 0) continue;
      const Context context(named.name + (reset_after ? ", reset after" : ", reset before") + ", optimiser " +
                            std::to_string(static_cast<int>(kind)));
      TrainingStep step(backend, data, named.loss, {kind, 0.05f, 0.1f, 0.01f, 0.9f, 0.999f}, reset_after);
      step.run(0);
      step.run(1);
      const int64_t before = count();
      for (uint64_t s = 2; s < 6; ++s) step.run(s);
      CHECK_EQUAL(before, count());
    }
}

TEST_CASE("allocations: a schedule makes none between its steps") {
  const std::vector<int32_t> items(3000, 1);
  std::vector<int32_t> offsets, order;
  for (int32_t s = 0; s <= 1000; ++s) offsets.push_back(3 * s);
  for (int32_t s = 0; s < 1000; ++s) order.push_back(s);
  SessionsInOrder sessions({{items.data(), 3000}, {offsets.data(), 1001}}, {order.data(), 1000});
  Schedule schedule(sessions, 32, 1);
  ScheduleStep step;
  const int64_t before = allocations_so_far();
  int64_t steps = 0;
  while (schedule.next(step)) ++steps;
  CHECK_EQUAL(before, allocations_so_far());
  CHECK(steps > 60);
}

}  // namespace gru4rec::test
