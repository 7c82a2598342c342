#pragma once

#include <vector>

#include "gpu_check/options.h"
#include "gpu_check/report.h"

namespace gru4rec::gpu_check {

struct Stage {
  const char* name;
  const char* what;
  double share;  ///< of the time of the whole, against the shares of the other stages
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
