#include <cstdio>
#include <cstdlib>
#include <regex>

#include "gpu_check/configurations.h"
#include "gpu_check/network.h"
#include "gpu_check/process.h"
#include "gpu_check/stage.h"

/// The author's PyTorch version, where a user has it, by its documented command line, on the same data with the same
/// parameters as ours. It is a program that is run here: nothing of it is read but what it prints.
namespace gru4rec::gpu_check {

namespace {

/// The number in front of a unit, the last one of the output: "[1104.46 mb/s" -> 1104.46. Negative = there is none.
double last_number(const std::string& output, const std::string& pattern) {
  const std::regex expression(pattern, std::regex::icase);
  double found = -1.0;
  for (std::sregex_iterator match(output.begin(), output.end(), expression), end; match != end; ++match)
    found = std::strtod((*match)[1].str().c_str(), nullptr);
  return found;
}

/// A number for people; a negative one stands for none.
std::string shown(double number, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, number);
  return number < 0.0 ? "-" : text;
}

constexpr size_t kShown = 2000;  ///< characters of its output, from its end
constexpr const char* kNumber = "([0-9]+(?:\\.[0-9]+)?)";

/// The device as PyTorch numbers it: CUDA_VISIBLE_DEVICES holds for both.
std::string torch_device(const std::string& device) { return device == "cuda" ? "cuda:0" : device; }

}  // namespace

void check_peer(const Options& options, Report& report) {
  if (options.peer.empty()) return report.skip("--peer-pytorch was not given");
  const TemporaryFolder folder;
  for (const size_t number : {size_t{0}, size_t{4}}) {
    Configuration c = published_configurations()[number];
    if (options.small) c = smaller(c);
    const Log log = options.small ? generate_log(100, 60, 7) : generate_log(20000, 5000, 7);
    c.model.items = log.train.items;
    if (!report.time_for(c.name)) continue;
    const std::string train = folder.path() + "/train.tsv", test = folder.path() + "/test.tsv";
    write_clicks(log.train, train);
    write_clicks(log.test, test);
    const std::vector<std::string> command{options.python,
                                           "run.py",
                                           train,
                                           "-t",
                                           test,
                                           "-g",
                                           "gru4rec_pytorch",
                                           "-ps",
                                           c.parameters,
                                           "-m",
                                           "1",
                                           "5",
                                           "10",
                                           "20",
                                           "-ss",
                                           "0",
                                           "-d",
                                           torch_device(options.device.device)};
    const Ended ended = run_command(command, options.peer, report.left());
    Json entry = Json::object();
    entry["configuration"] = c.name;
    entry["parameters"] = c.parameters;
    if (ended.timed_out || ended.status != 0) {
      entry["output"] = tail(ended.output, kShown);
      report.data[c.name] = entry;
      if (ended.timed_out) {
        report.line("%-28s theirs: %s", c.name.c_str(), ended.how().c_str());
        report.leave_out(c.name);
        continue;
      }
      if (ended.output.find("No module named 'torch'") != std::string::npos)
        return report.skip(options.python + " has no torch");
      report.fail(c.name + ": expected it to end with status 0, received " + ended.how() + ":\n" +
                  tail(ended.output, kShown));
      continue;
    }
    const double rate = last_number(ended.output, std::string(kNumber) + "\\s*mb/s");
    const double epoch = last_number(ended.output, "epoch.*\\(" + std::string(kNumber) + "\\s*s\\)");
    const double recall = last_number(ended.output, "recall@20:?\\s*" + std::string(kNumber));
    const double mrr = last_number(ended.output, "mrr@20:?\\s*" + std::string(kNumber));
    entry["peer_mini_batches_per_second"] = rate > 0.0 ? Json(rate) : Json();
    entry["peer_epoch_seconds"] = epoch > 0.0 ? Json(epoch) : Json();
    entry["peer_recall_20"] = recall >= 0.0 ? Json(recall) : Json();
    entry["peer_mrr_20"] = mrr >= 0.0 ? Json(mrr) : Json();

    Network network(c.model, options.device);
    Training training(network, c.training, log.train);
    const Progress progress = training.epoch();
    const Accuracy accuracy = accuracy_of(ranks_of(network, log.test, 100));
    const double ours = static_cast<double>(progress.steps) / progress.seconds;
    entry["mini_batches_per_second"] = ours;
    entry["epoch_seconds"] = progress.seconds;
    entry["recall_20"] = accuracy.recall;
    entry["mrr_20"] = accuracy.mrr;
    // What it printed of a whole epoch stands in for a rate that it did not print.
    const double theirs = rate > 0.0 ? rate : epoch > 0.0 ? static_cast<double>(progress.steps) / epoch : -1.0;
    if (report.expect(theirs > 0.0, c.name + ": expected a rate or the time of an epoch in its output, received\n" +
                                        tail(ended.output, kShown)))
      entry["times_as_fast"] = ours / theirs;
    report.data[c.name] = entry;
    report.line("%-28s theirs %s, ours %.1f mini-batches/s: %s times", c.name.c_str(), shown(theirs, 1).c_str(), ours,
                shown(theirs > 0.0 ? ours / theirs : -1.0, 2).c_str());
    report.line("%-28s Recall@20 theirs %s, ours %.4f; MRR@20 theirs %s, ours %.4f", "", shown(recall, 4).c_str(),
                accuracy.recall, shown(mrr, 4).c_str(), accuracy.mrr);
  }
}

}  // namespace gru4rec::gpu_check
