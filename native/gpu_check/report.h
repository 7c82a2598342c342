#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gpu_check/json.h"
#include "gpu_check/timing.h"

namespace gru4rec::gpu_check {

enum class Verdict { passed, failed, skipped, cut_short };

/// "passed", "failed", "skipped", "cut short"
const char* name(Verdict verdict);

/// What a stage found. A stage writes its findings here and goes on after a failure.
class Report {
 public:
  /// @param seconds  that the stage may take
  explicit Report(double seconds) : seconds_(seconds) {}

  /// Figures of the stage, for the file.
  Json data = Json::object();

  /// A line for people, as printf takes it. What has been found so far is kept from here on, whatever comes.
  void line(const char* format, ...) __attribute__((format(printf, 2, 3)));
  /// Something is wrong.
  void fail(const std::string& problem);
  /// A check: fails with `problem` unless `condition` holds. Returns it.
  bool expect(bool condition, const std::string& problem);
  /// Counts checks and measurements that were made otherwise than by `expect`.
  void count(int64_t checks) { checks_ += checks; }
  /// Checks and measurements so far. A stage that made none has not passed.
  int64_t checks() const { return checks_; }
  /// Something that is not as wished and is no failure.
  void note(const std::string& text);
  /// The stage, or what it is about, cannot be run here.
  void skip(const std::string& reason);
  /// Whether there is time for `what`; where there is none, it is left out.
  bool time_for(const std::string& what);
  /// The time was too short for `what`.
  void leave_out(const std::string& what);
  /// What it would be if its time were over now: what time_for last asked about is left out.
  Report cut_now() const;
  /// Called with each line, failure and question for time: what stands here then is worth keeping.
  void on_change(std::function<void(const Report&)> listener) { listener_ = std::move(listener); }
  /// Seconds that are left.
  double left() const { return seconds_ - clock_.seconds(); }

  Verdict verdict() const;
  /// The stage as a member of the file.
  Json json() const;

 private:
  void changed() const {
    if (listener_) listener_(*this);
  }

  double seconds_;
  Clock clock_;
  int64_t checks_ = 0;
  std::vector<std::string> problems_, notes_, left_out_;
  std::string skipped_, current_ = "everything";
  std::function<void(const Report&)> listener_;
};

}  // namespace gru4rec::gpu_check
