#include "gpu_check/stage.h"

#include <cstdarg>
#include <cstdio>

namespace gru4rec::gpu_check {

const char* name(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::skipped:
      return "skipped";
    default:
      return "cut short";
  }
}

void Report::line(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::printf("  ");
  std::vprintf(format, arguments);
  std::printf("\n");
  std::fflush(stdout);
  va_end(arguments);
}

void Report::fail(const std::string& problem) {
  problems_.push_back(problem);
  line("FAILED %s", problem.c_str());
}

bool Report::expect(bool condition, const std::string& problem) {
  if (!condition) fail(problem);
  return condition;
}

void Report::skip(const std::string& reason) {
  skipped_ = reason;
  line("%s", reason.c_str());
}

bool Report::time_for(const std::string& what) {
  if (left() > 0.0) return true;
  leave_out(what);
  return false;
}

Verdict Report::verdict() const {
  if (!problems_.empty()) return Verdict::failed;
  if (!skipped_.empty()) return Verdict::skipped;
  return left_out_.empty() ? Verdict::passed : Verdict::cut_short;
}

Json Report::json() const {
  Json json = Json::object();
  json["verdict"] = name(verdict());
  json["seconds"] = clock_.seconds();
  if (!skipped_.empty()) json["reason"] = skipped_;
  for (const auto& [key, texts] : {std::pair("problems", &problems_), std::pair("left_out", &left_out_)}) {
    if (texts->empty()) continue;
    json[key] = Json::array();
    for (const std::string& text : *texts) json[key].push(text);
  }
  json["data"] = data;
  return json;
}

const std::vector<Stage>& all_stages() {
  // Their times add up to the eight minutes that the whole may take; most stages need a fraction.
  static const std::vector<Stage> stages{
      {"environment", "GPU, driver, CUDA, cuBLAS, clocks", 10, check_environment},
      {"operations", "every operation against float64", 90, check_operations},
      {"parity", "training and ranks as on the CPU", 60, check_parity},
      {"bits", "same calls, same bits", 30, check_bits},
      {"precision", "accuracy in float32, tf32 and bf16", 40, check_precision},
      {"errors", "too little memory and bad devices", 20, check_errors},
      {"speed", "published configurations, single operations, rankings", 120, check_speed},
      {"peer", "the author's PyTorch version beside ours", 50, check_peer},
      {"sanitizer", "compute-sanitizer: memcheck and racecheck", 60, check_sanitizer},
  };
  return stages;
}

}  // namespace gru4rec::gpu_check
