#pragma once

#include <functional>

#include "gpu_check/report.h"

namespace gru4rec::gpu_check {

/// What a stage does.
using Work = std::function<void(Report&)>;

/// What became of a stage.
struct Result {
  Verdict verdict = Verdict::passed;
  int64_t checks = 0;  ///< and measurements
  Json json;
};

/// Runs a stage in this process. An exception fails it, and so does a stage that checked nothing and does not say why.
Result run_here(const Work& work, double seconds);

/// Runs a stage in a process of its own. One that dies has failed; one that has not ended `grace` seconds after its
/// time was over is killed, and cut short. What it had found until then is kept.
Result run_apart(const Work& work, double seconds, double grace);

}  // namespace gru4rec::gpu_check
