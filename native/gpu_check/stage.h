#pragma once

#include <string>
#include <vector>

#include "gpu_check/json.h"
#include "gpu_check/options.h"
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

  /// A line for people, as printf takes it.
  void line(const char* format, ...) __attribute__((format(printf, 2, 3)));
  /// Something is wrong.
  void fail(const std::string& problem);
  /// Fails with `problem` unless `condition` holds. Returns it.
  bool expect(bool condition, const std::string& problem);
  /// The stage cannot be run here.
  void skip(const std::string& reason);
  /// Whether there is time for `what`; where there is none, it is left out.
  bool time_for(const std::string& what);
  /// The time was too short for `what`.
  void leave_out(const std::string& what) { left_out_.push_back(what); }
  /// Seconds that are left.
  double left() const { return seconds_ - clock_.seconds(); }

  Verdict verdict() const;
  /// The stage as a member of the file.
  Json json() const;

 private:
  double seconds_;
  Clock clock_;
  std::vector<std::string> problems_, left_out_;
  std::string skipped_;
};

struct Stage {
  const char* name;
  const char* what;
  double seconds;  ///< at most
  void (*run)(const Options&, Report&);
};

/// All stages, in the order in which they run.
const std::vector<Stage>& all_stages();

// One file a stage, in stages/.
void check_environment(const Options& options, Report& report);
void check_operations(const Options& options, Report& report);
void check_parity(const Options& options, Report& report);
void check_bits(const Options& options, Report& report);
void check_precision(const Options& options, Report& report);
void check_errors(const Options& options, Report& report);
void check_speed(const Options& options, Report& report);
void check_peer(const Options& options, Report& report);
void check_sanitizer(const Options& options, Report& report);

}  // namespace gru4rec::gpu_check
