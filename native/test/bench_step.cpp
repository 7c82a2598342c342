/// Times each operation of a training step and of a ranking, in microseconds: `bench_step [threads ...]`.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "backend/array.h"
#include "backend/registry.h"

namespace gru4rec {
namespace {

struct Sizes {
  int64_t batch, hidden, samples, items;
};

/// Times of named pieces of work, in the order in which they first ran: the median, and the 5th percentile, which a
/// busy machine disturbs less.
class Stopwatch {
 public:
  template <class Work>
  void time(const std::string& name, const Work& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - start;
    if (times_.count(name) == 0) order_.push_back(name);
    times_[name].push_back(taken.count());
  }
  void print() {
    double median_sum = 0.0, best_sum = 0.0;
    for (const std::string& name : order_) {
      std::vector<double>& times = times_[name];
      std::sort(times.begin(), times.end());
      const double median = times[times.size() / 2], best = times[times.size() / 20];
      std::printf("  %-40s %9.1f %9.1f\n", name.c_str(), median, best);
      median_sum += median;
      best_sum += best;
    }
    std::printf("  %-40s %9.1f %9.1f\n", "sum", median_sum, best_sum);
  }

 private:
  std::map<std::string, std::vector<double>> times_;
  std::vector<std::string> order_;
};

Array<float> random_floats(Backend& backend, int64_t size, float low, float high) {
  std::mt19937 generator(7);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> host(size);
  for (float& value : host) value = uniform(generator);
  Array<float> array(backend, size);
  array.upload({host.data(), size});
  return array;
}

/// Rows like those of a click log: item i about as often as 1 / (i + 20).
std::vector<uint32_t> skewed_support(int64_t items) {
  std::vector<uint32_t> support(items);
  for (int64_t i = 0; i < items; ++i) support[i] = static_cast<uint32_t>(1 + 20000 / (i + 20));
  return support;
}

void bench(int threads, const Sizes& sizes, int repeats) {
  const int64_t batch = sizes.batch, hidden = sizes.hidden, samples = sizes.samples, items = sizes.items;
  const int64_t columns = batch + samples, rows = columns + batch;
  const auto backend_owner = create_backend({"cpu", threads, {}, {}});
  Backend& backend = *backend_owner;
  std::printf("%s, batch %lld, hidden %lld, samples %lld, items %lld\n", backend.description().c_str(),
              static_cast<long long>(batch), static_cast<long long>(hidden), static_cast<long long>(samples),
              static_cast<long long>(items));

  const auto weight = random_floats(backend, items * hidden, -0.1f, 0.1f);
  const auto weight_squares = random_floats(backend, items * hidden, 0.0f, 0.1f);
  const auto weight_velocity = random_floats(backend, items * hidden, -0.01f, 0.01f);
  const auto bias = random_floats(backend, items, -0.1f, 0.1f),
             bias_squares = random_floats(backend, items, 0.0f, 0.1f);
  const int64_t candidate_size = 2 * hidden * hidden, gates_size = 2 * hidden * 2 * hidden;
  const int64_t dense_size = candidate_size + gates_size + 3 * hidden;
  const auto dense = random_floats(backend, dense_size, -0.1f, 0.1f);
  const auto dense_squares = random_floats(backend, dense_size, 0.0f, 0.1f);
  const Array<float> dense_gradient(backend, dense_size);
  const GruLayer layer{{dense.data(), 2 * hidden, hidden},
                       {dense.data() + candidate_size, 2 * hidden, 2 * hidden},
                       {dense.data() + candidate_size + gates_size, 1, 3 * hidden},
                       {},
                       {ActivationKind::tanh}};
  const GruGradients gradients{{dense_gradient.data(), 2 * hidden, hidden},
                               {dense_gradient.data() + candidate_size, 2 * hidden, 2 * hidden},
                               {dense_gradient.data() + candidate_size + gates_size, 1, 3 * hidden},
                               {}};
  const Array<float> joined(backend, batch * 3 * hidden), gates(backend, batch * 3 * hidden);
  const GruTrace trace{joined.matrix(batch, 3 * hidden), gates.matrix(batch, 3 * hidden)};
  const Array<float> state(backend, batch * hidden), state_gradient(backend, batch * hidden);
  const Array<float> gate_gradients(backend, batch * 3 * hidden), row_gradients(backend, rows * hidden);
  const Array<float> scores(backend, batch * columns), bias_gradient(backend, columns), row_losses(backend, batch);
  Array<LossTotals> totals(backend, 1);
  const LossTotals no_loss;
  totals.upload({&no_loss, 1});
  backend.fill(0.1f, state.matrix(batch, hidden));

  const std::vector<uint32_t> support = skewed_support(items);
  const SamplingTable host_table({support.data(), items}, 0.75);
  Array<uint64_t> cumulative(backend, items);
  cumulative.upload({host_table.cumulative().data(), items});
  Array<int32_t> guide(backend, static_cast<int64_t>(host_table.guide().size()));
  guide.upload({host_table.guide().data(), guide.size()});
  const SamplingTableView table{cumulative.data(), guide.data(), host_table.view().guide_bits, items};
  constexpr int64_t kStoredSteps = 64;
  const Array<int32_t> store(backend, kStoredSteps * rows);
  // Targets and inputs are drawn like the samples.
  backend.draw_negatives(table, {1, 0, 4}, store.matrix(kStoredSteps, rows));
  std::vector<int32_t> source(batch);
  for (int64_t i = 0; i < batch; ++i) source[i] = i % 8 == 0 ? -1 : static_cast<int32_t>(i);
  Array<int32_t> sources(backend, batch);
  sources.upload({source.data(), batch});
  const Array<int32_t> group_count(backend, 1), group_item(backend, rows), group_start(backend, rows + 1),
      group_occurrence(backend, rows);
  const RowGroups groups{group_count.data(), group_item.span(), group_start.span(), group_occurrence.span()};
  const auto log_support = random_floats(backend, items, 0.0f, 8.0f);

  Stopwatch watch;
  Stopwatch losses;
  const Optimiser adagrad{OptimiserKind::adagrad, 0.01f};
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const uint64_t step = static_cast<uint64_t>(repeat);
    const Span<const int32_t> all = store.span().range(repeat % kStoredSteps * rows, rows);
    const Span<const int32_t> scored = all.range(0, columns);
    const Dropout input_dropout = make_dropout(0.1, random_stream(1, Purpose::input_dropout, step));
    if (repeat % 16 == 0) {
      watch.time("draw_negatives (16 steps)", [&] {
        backend.draw_negatives(table, {1, step, 4}, MatrixView<int32_t>(store.data(), 16, samples, rows));
      });
    }
    const Matrix input = trace.joined.col_range(hidden, hidden), carried = trace.joined.col_range(2 * hidden, hidden);
    watch.time("gather_rows, dropout", [&] {
      backend.gather_rows(weight.matrix(items, hidden), all.range(columns, batch), input_dropout, input);
    });
    watch.time("carry_state", [&] { backend.carry_state(state.matrix(batch, hidden), sources.span(), carried); });
    watch.time("gru_forward", [&] { backend.gru_forward(layer, {}, {}, trace, state.matrix(batch, hidden)); });
    const LogQ logq{log_support.data(), 1.0f, 0.75f, batch};
    const Matrix score_matrix = scores.matrix(batch, columns);
    const auto score = [&] {
      backend.scores(state.matrix(batch, hidden), weight.matrix(items, hidden), bias.matrix(items, 1), scored, logq,
                     score_matrix);
    };
    score();
    const Activation elu{ActivationKind::elu, 0.5f}, linear;
    for (const auto& [name, loss] : std::initializer_list<std::pair<const char*, Loss>>{
             {"xe_logit", {LossKind::xe_logit, 0.0f, 0.0f, {ActivationKind::softmax_logit}}},
             {"cross-entropy, smoothing", {LossKind::cross_entropy, 0.1f, 0.0f, {ActivationKind::softmax}}},
             {"bpr", {LossKind::bpr, 0.0f, 0.0f, linear}},
             {"bpr-max, elu", {LossKind::bpr_max, 0.0f, 1.0f, elu}},
             {"top1", {LossKind::top1, 0.0f, 0.0f, linear}},
             {"top1-max", {LossKind::top1_max, 0.0f, 0.0f, linear}}}) {
      if (repeat % 4 != 0) continue;
      losses.time(name,
                  [&, kept = loss] { backend.loss_gradient(kept, batch, nullptr, score_matrix, row_losses.span()); });
      score();
    }
    watch.time("scores", score);
    watch.time("loss_gradient, cross-entropy", [&] {
      backend.loss_gradient({LossKind::cross_entropy, 0.0f, 0.0f, {ActivationKind::softmax}}, batch, nullptr,
                            score_matrix, row_losses.span());
    });
    watch.time("accumulate_loss", [&] { backend.accumulate_loss(row_losses.span(), batch, nullptr, totals.data()); });
    watch.time("scores_backward", [&] {
      backend.scores_backward(score_matrix, state.matrix(batch, hidden), weight.matrix(items, hidden), scored,
                              state_gradient.matrix(batch, hidden), row_gradients.matrix(columns, hidden),
                              bias_gradient.matrix(columns, 1));
    });
    const Matrix input_gradient = row_gradients.matrix(rows, hidden).row_range(columns, batch);
    watch.time("gru_backward", [&] {
      backend.gru_backward(layer, trace, {}, state_gradient.matrix(batch, hidden),
                           gate_gradients.matrix(batch, 3 * hidden), input_gradient, gradients);
    });
    watch.time("dropout_backward", [&] { backend.dropout_backward(input_dropout, input_gradient); });
    watch.time("group_rows", [&] { backend.group_rows(all, items, groups); });
    watch.time("update_dense", [&] {
      backend.update_dense(adagrad, dense_gradient.matrix(1, dense_size), nullptr,
                           {dense.matrix(1, dense_size), dense_squares.matrix(1, dense_size), {}, {}, {}});
    });
    watch.time("update_rows, weights", [&] {
      backend.update_rows(adagrad, groups, row_gradients.matrix(rows, hidden), nullptr,
                          {weight.matrix(items, hidden), weight_squares.matrix(items, hidden), {}, {}, {}});
    });
    watch.time("update_rows, biases", [&] {
      backend.update_rows(adagrad, groups, bias_gradient.matrix(columns, 1), nullptr,
                          {bias.matrix(items, 1), bias_squares.matrix(items, 1), {}, {}, {}});
    });
  }
  watch.print();
  std::printf(" other losses\n");
  losses.print();

  Stopwatch rankings;
  constexpr int64_t kListed = 20;
  const Array<int32_t> ranks(backend, 2 * batch), listed(backend, batch * kListed);
  const Array<float> listed_scores(backend, batch * kListed), log_sums(backend, batch);
  for (int repeat = 0; repeat < std::max(5, repeats / 20); ++repeat) {
    rankings.time("target_ranks", [&] {
      backend.target_ranks(state.matrix(batch, hidden), weight.matrix(items, hidden), bias.matrix(items, 1),
                           store.span().range(0, batch), {}, ranks.span().range(0, batch),
                           ranks.span().range(batch, batch));
    });
    rankings.time("top_k, 20", [&] {
      backend.top_k(state.matrix(batch, hidden), weight.matrix(items, hidden), bias.matrix(items, 1), kListed, {}, {},
                    listed.span(), listed_scores.matrix(batch, kListed), {});
    });
    rankings.time("top_k, 20, log_sum_exp", [&] {
      backend.top_k(state.matrix(batch, hidden), weight.matrix(items, hidden), bias.matrix(items, 1), kListed, {}, {},
                    listed.span(), listed_scores.matrix(batch, kListed), log_sums.span());
    });
    rankings.time("top_k, 20, one row", [&] {
      backend.top_k(state.matrix(1, hidden), weight.matrix(items, hidden), bias.matrix(items, 1), kListed, {}, {},
                    listed.span(kListed), listed_scores.matrix(1, kListed), {});
    });
  }
  std::printf(" rankings\n");
  rankings.print();
}

}  // namespace
}  // namespace gru4rec

int main(int argc, char** argv) {
  std::vector<int> threads;
  for (int i = 1; i < argc; ++i) threads.push_back(std::atoi(argv[i]));
  if (threads.empty()) threads = {1, 2};
  for (int count : threads) {
    gru4rec::bench(count, {32, 100, 2048, 17376}, 1000);
    gru4rec::bench(count, {240, 512, 2048, 17376}, 40);
  }
}
