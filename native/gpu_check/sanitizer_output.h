#pragma once

#include <cstdint>
#include <string>

namespace gru4rec::gpu_check {

/// What compute-sanitizer printed of what it found, as numbers.
struct SanitizerOutput {
  bool summary = false;  ///< it printed one: it came to its end
  /// "ERROR SUMMARY: N errors" of memcheck, or the E of "RACECHECK SUMMARY: N hazards displayed (E errors, W
  /// warnings)"; of several summaries, the sum
  int64_t errors = 0;
  int64_t hazards = 0, warnings = 0;  ///< N and W of racecheck
  int64_t reported = 0;               ///< errors that it told at once, whether or not it came to its end
};

SanitizerOutput read_sanitizer_output(const std::string& output);

}  // namespace gru4rec::gpu_check
