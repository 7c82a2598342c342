#include <cmath>

#include "gpu_check/configurations.h"
#include "gpu_check/network.h"
#include "gpu_check/stage.h"

/// What rounding of the factors costs: the same training in each precision, and what it predicts.
namespace gru4rec::gpu_check {

namespace {

/// What docs/model.md calls the same level of accuracy, relative to float32.
constexpr double kSameLevel = 0.05;

struct Outcome {
  double loss = 0.0;
  Accuracy accuracy;
};

/// Returns how many trainings were compared with float32's.
int compare_on(const Log& log, const Options& options, Report& report) {
  int compared = 0;
  // One pairwise loss and one cross-entropy.
  for (const size_t number : {size_t{0}, size_t{4}}) {
    Configuration c = published_configurations()[number];
    if (options.small) c = smaller(c);
    c.model.items = log.train.items;
    Json entry = Json::object();
    entry["configuration"] = c.name;
    entry["data"] = log.name;
    report.line("%s on %s", c.name.c_str(), log.name.c_str());
    Outcome float32;
    for (const Precision precision : {Precision::float32, Precision::tf32, Precision::bf16}) {
      const std::string of = gru4rec::name(precision);
      if (!report.time_for(c.name + " on " + log.name + ", " + of)) continue;
      Network network(c.model, options.device);
      if (!network.backend->supports(precision)) {
        entry[of] = "not on this GPU, or not without cuBLAS";
        report.note(c.name + " on " + log.name + ": no " + of + " on this GPU, or not without cuBLAS");
        continue;
      }
      c.training.precision = precision;
      Outcome outcome;
      outcome.loss = Training(network, c.training, log.train).epoch().loss;
      outcome.accuracy = accuracy_of(ranks_of(network, log.test, 100));
      if (precision == Precision::float32) float32 = outcome;
      const auto& [recall, mrr, targets] = outcome.accuracy;
      Json& figures = entry[of] = Json::object();
      figures["loss"] = outcome.loss;
      figures["recall_20"] = recall;
      figures["mrr_20"] = mrr;
      figures["targets"] = targets;
      report.line("  %-8s loss %.6f  Recall@20 %.4f  MRR@20 %.4f  on %lld targets", of.c_str(), outcome.loss, recall,
                  mrr, static_cast<long long>(targets));
      if (!report.expect(std::isfinite(outcome.loss) && targets > 0,
                         c.name + ", " + of + ": expected a finite loss and targets to rank, received the loss " +
                             std::to_string(outcome.loss) + " and " + std::to_string(targets) + " targets"))
        continue;
      if (precision == Precision::float32) continue;
      ++compared;
      const auto near = [](double ours, double expected) { return std::abs(ours - expected) <= kSameLevel * expected; };
      report.expect(
          near(outcome.loss, float32.loss) && near(recall, float32.accuracy.recall) && near(mrr, float32.accuracy.mrr),
          c.name + ", " + of + ": expected loss, Recall@20 and MRR@20 within 5 % of float32's");
    }
    report.data["trainings"].push(entry);
  }
  return compared;
}

}  // namespace

void check_precision(const Options& options, Report& report) {
  report.data["trainings"] = Json::array();
  int compared = compare_on(options.small ? generate_log(400, 60, 6) : generate_log(20000, 2000, 6), options, report);
  constexpr int64_t kMostEvents = 200000, kFewEvents = 400;
  if (!options.data.empty())
    compared += compare_on(read_log(options.data, options.small ? kFewEvents : kMostEvents), options, report);
  if (compared == 0 && report.left() > 0.0) report.skip("only float32 is there, and nothing to compare it with");
}

}  // namespace gru4rec::gpu_check
