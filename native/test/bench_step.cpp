/// Times each operation of a training step and of a ranking, in microseconds: `bench_step [threads ...]`.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "backend/array.h"
#include "backend/registry.h"
#include "step_operations.h"

namespace gru4rec {
namespace {

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

using test::StepOperations;
using test::StepSizes;

void bench(int threads, const StepSizes& sizes, int repeats) {
  const int64_t batch = sizes.batch;
  const auto backend_owner = create_backend({"cpu", threads, {}, {}});
  Backend& backend = *backend_owner;
  std::printf("%s, batch %lld, hidden %lld, samples %lld, items %lld\n", backend.description().c_str(),
              static_cast<long long>(batch), static_cast<long long>(sizes.hidden),
              static_cast<long long>(sizes.samples), static_cast<long long>(sizes.items));

  StepOperations step(backend, sizes);
  const std::vector<StepOperations::Operation> operations = step.operations();
  Stopwatch watch;
  Stopwatch losses;
  for (int repeat = 0; repeat < repeats; ++repeat, step.next()) {
    if (repeat % 16 == 0) watch.time("draw_negatives (16 steps)", [&] { step.draw_samples(16); });
    for (const StepOperations::Operation& operation : operations) watch.time(operation.name, operation.run);

    if (repeat % 4 != 0) continue;
    const Activation elu{ActivationKind::elu, 0.5f}, linear;
    for (const auto& [name, loss] : std::initializer_list<std::pair<const char*, Loss>>{
             {"xe_logit", {LossKind::xe_logit, 0.0f, 0.0f, {ActivationKind::softmax_logit}}},
             {"cross-entropy, smoothing", {LossKind::cross_entropy, 0.1f, 0.0f, {ActivationKind::softmax}}},
             {"bpr", {LossKind::bpr, 0.0f, 0.0f, linear}},
             {"bpr-max, elu", {LossKind::bpr_max, 0.0f, 1.0f, elu}},
             {"top1", {LossKind::top1, 0.0f, 0.0f, linear}},
             {"top1-max", {LossKind::top1_max, 0.0f, 0.0f, linear}}}) {
      step.score();
      losses.time(name, [&, kept = loss] {
        backend.loss_gradient(kept, batch, nullptr, step.score_matrix(), step.row_losses());
      });
    }
  }
  watch.print();
  std::printf(" other losses\n");
  losses.print();

  Stopwatch rankings;
  constexpr int64_t kListed = 20;
  const Array<int32_t> ranks(backend, 2 * batch), listed(backend, batch * kListed);
  const Array<float> listed_scores(backend, batch * kListed), log_sums(backend, batch);
  const auto list = [&](int64_t rows, Span<float> sums) {
    backend.top_k(step.state().row_range(0, rows), step.weight(), step.bias(), kListed, {}, {},
                  listed.span(rows * kListed), listed_scores.matrix(rows, kListed), sums);
  };
  for (int repeat = 0; repeat < std::max(5, repeats / 20); ++repeat) {
    rankings.time("target_ranks", [&] {
      backend.target_ranks(step.state(), step.weight(), step.bias(), step.targets(), {}, ranks.span().range(0, batch),
                           ranks.span().range(batch, batch));
    });
    rankings.time("top_k, 20", [&] { list(batch, {}); });
    rankings.time("top_k, 20, log_sum_exp", [&] { list(batch, log_sums.span()); });
    rankings.time("top_k, 20, one row", [&] { list(1, {}); });
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
