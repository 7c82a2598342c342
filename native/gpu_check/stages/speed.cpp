#include <algorithm>
#include <cmath>
#include <exception>
#include <fstream>
#include <regex>
#include <sstream>

#include "gpu_check/configurations.h"
#include "gpu_check/cublas_alone.h"
#include "gpu_check/network.h"
#include "gpu_check/stage.h"
#include "gpu_check/step.h"

/// How fast it is: training in the published configurations, each operation of a step, the products of a step alone,
/// and rankings. It measures, it does not judge.
namespace gru4rec::gpu_check {

namespace {

/// Microseconds that the file of floors has for a configuration; negative where it has none.
double floor_of(const std::string& floors, const std::string& configuration) {
  const std::regex entry("\"" + configuration + "\"\\s*:\\s*([0-9.eE+-]+)");
  std::smatch match;
  return std::regex_search(floors, match, entry) ? std::strtod(match[1].str().c_str(), nullptr) : -1.0;
}

std::string read_text(const std::string& path) {
  std::ostringstream text;
  if (!path.empty()) text << std::ifstream(path).rdbuf();
  return text.str();
}

test::StepSizes sizes_of(const Configuration& c) {
  return {c.training.batch, c.model.hidden(), c.training.samples, c.model.items};
}

/// Clicks for an epoch of about so many steps.
Log log_of_steps(const Configuration& c, int64_t steps) {
  constexpr double kPairs = 3.6;  // of a session in the training, which has nine tenths of them
  return generate_log(static_cast<int64_t>(static_cast<double>(steps * c.training.batch) / kPairs), c.model.items, 8);
}

/// Mini-batches per second of whole epochs, after one that warms up; and evaluation.
double measure_training(const Configuration& c, const Options& options, double seconds, Json& entry) {
  Network network(c.model, options.device);
  const int64_t few = options.small ? 4 : 100;
  const Log short_log = log_of_steps(c, few);
  const Progress begin = Training(network, c.training, short_log.train).epoch();
  // Epochs of a second, about: so many steps that neither their begin nor their thinner end counts.
  const double rate = static_cast<double>(begin.steps) / begin.seconds;
  const Log log =
      options.small ? short_log : log_of_steps(c, std::clamp<int64_t>(static_cast<int64_t>(rate), 100, 10000));
  Training training(network, c.training, log.train);
  training.epoch();
  const Clock clock;
  std::vector<double> rates;
  Progress last;
  do {
    last = training.epoch();
    rates.push_back(static_cast<double>(last.steps) / last.seconds);
  } while (clock.seconds() < seconds && rates.size() < 50);
  entry["mini_batches_per_second"] = median(rates);
  entry["events_per_second"] = median(rates) * static_cast<double>(last.events) / static_cast<double>(last.steps);
  entry["slowest"] = *std::min_element(rates.begin(), rates.end());
  entry["fastest"] = *std::max_element(rates.begin(), rates.end());
  entry["epochs"] = rates.size();
  entry["steps_of_an_epoch"] = last.steps;

  Clicks test;
  test.items = log.test.items;
  const int64_t most = options.small ? 10 : 2000;
  for (int64_t s = 0; s < std::min(most, log.test.count()); ++s)
    test.add({log.test.events.begin() + log.test.offsets[s], log.test.events.begin() + log.test.offsets[s + 1]});
  ranks_of(network, test, 100);
  const Clock evaluation;
  const std::vector<double> ranks = ranks_of(network, test, 100);
  entry["evaluated_targets_per_second"] = static_cast<double>(ranks.size()) / evaluation.seconds();
  entry["evaluated_sessions_per_second"] = static_cast<double>(test.count()) / evaluation.seconds();
  return median(rates);
}

Precision training_precision(const Backend& backend) {
  return backend.supports(Precision::tf32) ? Precision::tf32 : Precision::float32;
}

/// The cuBLAS that the back end takes; empty = none.
std::string cublas_path_of(const Options& options) { return list_devices(options.device).cuda.cublas_path; }

/// Microseconds of the products of a step, cuBLAS alone: each one call of it.
double measure_products(Backend& backend, CublasAlone& cublas, const test::StepSizes& sizes, const Repeats& repeats,
                        Json& entry) {
  struct Product {
    const char* name;
    int64_t m, n, k;
    bool left_transposed, right_transposed;  ///< as it lies in memory
  };
  const int64_t b = sizes.batch, h = sizes.hidden, c = sizes.batch + sizes.samples;
  const Product products[] = {
      {"gates", b, 2 * h, 2 * h, false, false},
      {"candidate", b, h, 2 * h, false, false},
      {"scores", b, c, h, false, true},
      {"gradient of the state", b, h, c, false, false},
      {"gradient of the rows", c, h, b, true, false},
      {"gradient of the candidate's input", b, 2 * h, h, false, true},
      {"gradient of the gates' input", b, 2 * h, 2 * h, false, true},
      {"gradient of the candidate", 2 * h, h, b, true, false},
      {"gradient of the gates", 2 * h, 2 * h, b, true, false},
  };
  double sum = 0.0;
  for (const Product& p : products) {
    const Array<float> left = test::random_floats(backend, p.m * p.k, -0.1f, 0.1f);
    const Array<float> right = test::random_floats(backend, p.n * p.k, -0.1f, 0.1f);
    const Array<float> out(backend, p.m * p.n);
    const StoredFactor of_left{p.left_transposed ? left.matrix(p.k, p.m) : left.matrix(p.m, p.k), p.left_transposed};
    const StoredFactor of_right{p.right_transposed ? right.matrix(p.n, p.k) : right.matrix(p.k, p.n),
                                p.right_transposed};
    backend.synchronize();
    const double microseconds =
        microseconds_of(cublas, repeats, [&] { cublas.multiply(of_left, of_right, out.matrix(p.m, p.n)); });
    Json product = Json::object();
    product["name"] = p.name;
    product["m_n_k"] = std::to_string(p.m) + " " + std::to_string(p.n) + " " + std::to_string(p.k);
    product["microseconds"] = microseconds;
    entry.push(product);
    sum += microseconds;
  }
  return sum;
}

/// cuBLAS alone computes what it is asked for, so that its times are those of the product that is meant: in float32,
/// as the back end's scores without biases.
void check_product(const Options& options, const std::string& path, Report& report) {
  const std::unique_ptr<Backend> backend = create_backend(options.device);
  constexpr int64_t kRows = 5, kTerms = 7, kColumns = 11;
  const Array<float> left = test::random_floats(*backend, kRows * kTerms, -1.0f, 1.0f);
  const Array<float> right = test::random_floats(*backend, kColumns * kTerms, -1.0f, 1.0f);
  const Array<float> bias(*backend, kColumns), scores(*backend, kRows * kColumns), product(*backend, kRows * kColumns);
  backend->fill(0.0f, bias.matrix(1, kColumns));
  const ConstMatrix of_left = left.matrix(kRows, kTerms), of_right = right.matrix(kColumns, kTerms);
  backend->scores(of_left, of_right, bias.matrix(kColumns, 1), {}, {}, scores.matrix(kRows, kColumns));
  backend->synchronize();
  CublasAlone cublas(*backend, path, Precision::float32);
  cublas.multiply({of_left}, {of_right, true}, product.matrix(kRows, kColumns));
  cublas.synchronize();
  std::vector<float> expected(kRows * kColumns), received(kRows * kColumns);
  scores.download({expected.data(), kRows * kColumns});
  product.download({received.data(), kRows * kColumns});
  double worst = 0.0;
  for (size_t i = 0; i < expected.size(); ++i)
    worst = std::max(worst, std::abs(double{expected[i]} - double{received[i]}));
  report.expect(worst < 1e-5, "expected cuBLAS alone to give the back end's scores, received others, " +
                                  std::to_string(worst) + " apart");
}

void measure_configuration(const Configuration& c, const Options& options, const std::string& floors,
                           const std::string& cublas_path, double seconds, Report& report) {
  const Repeats repeats = options.small ? Repeats{1, 0.0, 1} : Repeats{5, 0.01, 2000};
  Json entry = Json::object();
  entry["name"] = c.name;
  entry["parameters"] = c.parameters;
  entry["items"] = c.model.items;
  entry["items_are_assumed"] = c.assumed_items;
  const double rate = measure_training(c, options, seconds, entry);
  report.expect(std::isfinite(rate) && rate > 0.0, c.name + ": expected mini-batches per second, received none");
  const double step = 1e6 / rate;
  entry["step_us"] = step;
  if (c.published > 0.0) {
    entry["published_mini_batches_per_second"] = c.published;
    entry["times_published"] = rate / c.published;
  }
  const double floor = floor_of(floors, c.name);
  entry["roofline_us"] = floor > 0.0 ? Json(floor) : Json();
  if (floor > 0.0) entry["percent_of_roofline"] = 100.0 * floor / step;

  const std::unique_ptr<Backend> backend = create_backend(options.device);
  backend->set_precision(training_precision(*backend));
  entry["precision"] = gru4rec::name(training_precision(*backend));
  ConfiguredStep operations(*backend, c);
  std::vector<std::pair<std::string, double>> times;
  double sum = 0.0;
  for (const auto& [name, run] : operations.operations()) {
    report.count(1);
    times.emplace_back(name, microseconds_of(*backend, repeats, run));
    sum += times.back().second;
  }
  Json& of_operations = entry["operations"] = Json::array();
  for (const auto& [name, microseconds] : times) {
    Json operation = Json::object();
    operation["name"] = name;
    operation["microseconds"] = microseconds;
    operation["percent"] = 100.0 * microseconds / sum;
    of_operations.push(operation);
  }
  entry["operations_us"] = sum;
  entry["products_us"] = Json();
  double products = -1.0;
  if (!cublas_path.empty()) {
    CublasAlone cublas(*backend, cublas_path, training_precision(*backend));
    products = measure_products(*backend, cublas, sizes_of(c), repeats, entry["products"] = Json::array());
    entry["products_us"] = products;
  }

  report.data["configurations"].push(entry);
  report.line("%-28s %9.1f mini-batches/s (%.1f us)%s", c.name.c_str(), rate, step,
              c.assumed_items ? ", items assumed" : "");
  if (c.published > 0.0) report.line("  %.1f times the published %.1f", rate / c.published, c.published);
  if (floor > 0.0) report.line("  %.0f %% of the roofline, %.1f us", 100.0 * floor / step, floor);
  report.line("  operations one by one %.1f us", sum);
  if (products > 0.0)
    report.line("  products by cuBLAS alone %.1f us, %.0f %% of a step", products, 100.0 * products / step);
  std::sort(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (size_t i = 0; i < std::min<size_t>(5, times.size()); ++i)
    report.line("  %5.1f %%  %s", 100.0 * times[i].second / sum, times[i].first.c_str());
}

/// The best 20 of all items for many sessions, beside the scores alone.
void measure_rankings(const Options& options, const std::string& cublas_path, Report& report) {
  const int64_t items = options.small ? 300 : 1000000, hidden = options.small ? 24 : 512;
  const int64_t sessions = options.small ? 16 : 4096, tile = options.small ? 100 : 16384;
  constexpr int64_t kListed = 20;
  const std::unique_ptr<Backend> backend = create_backend(options.device);
  // Rows from other places of one set of random numbers, so that no two are equal and the host makes few.
  const Array<float> weight(*backend, items * hidden), bias(*backend, items);
  {
    const int64_t chunk = 8000;
    std::vector<float> numbers(chunk * hidden + items / chunk + 1);
    const RandomStream stream = random_stream(9, Purpose::initial_weights, 0);
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = random_word(stream, i) * 0x1p-32f - 0.5f;
    for (int64_t first = 0; first < items; first += chunk)
      backend->upload(numbers.data() + first / chunk, std::min(chunk, items - first) * hidden * 4,
                      weight.data() + first * hidden);
  }
  backend->fill(0.0f, bias.matrix(1, items));
  const Array<float> hidden_states = test::random_floats(*backend, sessions * hidden, -1.0f, 1.0f);
  const Array<float> scores(*backend, sessions * tile), best_scores(*backend, sessions * kListed);
  const Array<int32_t> best(*backend, sessions * kListed), ranks(*backend, 2 * sessions);
  std::vector<int32_t> host_targets(sessions);
  for (int64_t s = 0; s < sessions; ++s) host_targets[s] = static_cast<int32_t>(s * 997 % items);
  Array<int32_t> targets(*backend, sessions);
  targets.upload({host_targets.data(), sessions});
  const ConstMatrix states = hidden_states.matrix(sessions, hidden), table = weight.matrix(items, hidden);
  const ConstMatrix biases = bias.matrix(items, 1);

  const Repeats repeats{3, 0.3, 3};
  const double product = microseconds_of(*backend, repeats, [&] {
    for (int64_t first = 0; first < items; first += tile) {
      const int64_t count = std::min(tile, items - first);
      backend->scores(states, table.row_range(first, count), biases.row_range(first, count), {}, {},
                      scores.matrix(sessions, count));
    }
  });
  // The same without the biases, and by cuBLAS alone: what no ranking on it can be faster than.
  double alone = -1.0;
  if (!cublas_path.empty()) {
    CublasAlone cublas(*backend, cublas_path, Precision::float32);
    alone = microseconds_of(cublas, repeats, [&] {
      for (int64_t first = 0; first < items; first += tile) {
        const int64_t count = std::min(tile, items - first);
        cublas.multiply({states}, {table.row_range(first, count), true}, scores.matrix(sessions, count));
      }
    });
  }
  const double top = microseconds_of(*backend, repeats, [&] {
    backend->top_k(states, table, biases, kListed, {}, {}, best.span(), best_scores.matrix(sessions, kListed), {});
  });
  const double rank = microseconds_of(*backend, repeats, [&] {
    backend->target_ranks(states, table, biases, targets.span(), {}, ranks.span().range(0, sessions),
                          ranks.span().range(sessions, sessions));
  });
  report.count(3);
  Json& entry = report.data["rankings"] = Json::object();
  entry["sessions"] = sessions;
  entry["items"] = items;
  entry["hidden"] = hidden;
  entry["cublas_ms"] = alone > 0.0 ? Json(alone / 1e3) : Json();
  entry["scores_ms"] = product / 1e3;
  entry["top_20_ms"] = top / 1e3;
  entry["target_ranks_ms"] = rank / 1e3;
  if (alone > 0.0) {
    entry["top_20_times_cublas"] = top / alone;
    entry["target_ranks_times_cublas"] = rank / alone;
  }
  entry["top_20_times_scores"] = top / product;
  entry["target_ranks_times_scores"] = rank / product;
  entry["top_20_sessions_per_second"] = static_cast<double>(sessions) / top * 1e6;
  entry["target_ranks_sessions_per_second"] = static_cast<double>(sessions) / rank * 1e6;
  report.line("%lld sessions, %lld items of %lld: scores %.1f ms, top 20 %.1f ms, ranks %.1f ms",
              static_cast<long long>(sessions), static_cast<long long>(items), static_cast<long long>(hidden),
              product / 1e3, top / 1e3, rank / 1e3);
  if (alone > 0.0)
    report.line("  cuBLAS alone %.1f ms: top 20 %.2f times that, ranks %.2f times", alone / 1e3, top / alone,
                rank / alone);
}

}  // namespace

void check_speed(const Options& options, Report& report) {
  report.data["how"] =
      "training: median over whole epochs after one that warms up. operations: the wall time of many calls up to "
      "synchronize, each operation by itself, so their sum holds launches that a step hides. products and "
      "cublas: cuBLAS called for the products alone, without the back end; scores add a bias.";
  report.line("%s", "operations are timed by the wall around synchronize, not by a profiler");
  const std::string floors = read_text(options.roofline);
  if (!options.roofline.empty()) report.data["roofline"] = options.roofline;
  report.data["configurations"] = Json::array();
  std::string cublas_path = cublas_path_of(options);
  if (cublas_path.empty()) {
    report.note("no cuBLAS: there are no products of it alone to compare with");
  } else if (report.time_for("cuBLAS alone")) {
    try {
      check_product(options, cublas_path, report);
    } catch (const std::exception& error) {
      report.fail(std::string("cuBLAS alone: ") + error.what());
      cublas_path.clear();  // all else is measured without it
    }
  }
  if (report.time_for("rankings")) measure_rankings(options, cublas_path, report);
  const std::vector<Configuration>& all = published_configurations();
  const size_t count = options.small ? 2 : all.size();
  for (size_t i = 0; i < count; ++i) {
    const Configuration& c = all[i == 1 && options.small ? 3 : i];
    // A third of the share of the time goes into training.
    const double seconds =
        options.small ? 0.0 : std::clamp(report.left() / static_cast<double>(count - i) / 3, 1.0, 5.0);
    if (report.time_for(c.name))
      measure_configuration(options.small ? smaller(c) : c, options, floors, cublas_path, seconds, report);
  }
}

}  // namespace gru4rec::gpu_check
