#include "gpu_check/report.h"

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
  changed();
}

void Report::fail(const std::string& problem) {
  problems_.push_back(problem);
  line("FAILED %s", problem.c_str());
}

bool Report::expect(bool condition, const std::string& problem) {
  ++checks_;
  if (!condition) fail(problem);
  return condition;
}

void Report::note(const std::string& text) {
  notes_.push_back(text);
  line("%s", text.c_str());
}

void Report::skip(const std::string& reason) {
  skipped_ = reason;
  line("%s", reason.c_str());
}

void Report::leave_out(const std::string& what) {
  left_out_.push_back(what);
  line("left out, as the time was over: %s", what.c_str());
}

bool Report::time_for(const std::string& what) {
  if (left() <= 0.0) {
    leave_out(what);
    return false;
  }
  current_ = what;
  changed();
  return true;
}

Report Report::cut_now() const {
  Report cut = *this;
  cut.left_out_.push_back(current_ + ", which had not ended");
  return cut;
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
  json["checks"] = checks_;
  if (!skipped_.empty()) json["reason"] = skipped_;
  for (const auto& [key, texts] :
       {std::pair("problems", &problems_), std::pair("notes", &notes_), std::pair("left_out", &left_out_)}) {
    if (texts->empty()) continue;
    json[key] = Json::array();
    for (const std::string& text : *texts) json[key].push(text);
  }
  json["data"] = data;
  return json;
}

}  // namespace gru4rec::gpu_check
