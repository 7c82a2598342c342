#include "gpu_check/sanitizer_output.h"

#include <cstdio>
#include <sstream>

namespace gru4rec::gpu_check {

SanitizerOutput read_sanitizer_output(const std::string& output) {
  SanitizerOutput found;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const auto behind = [&](const char* text) -> const char* {
      const size_t place = line.find(text);
      return place == std::string::npos ? nullptr : line.c_str() + place + std::string(text).size();
    };
    long long errors = 0, hazards = 0, warnings = 0;
    if (const char* numbers = behind("RACECHECK SUMMARY:")) {
      if (std::sscanf(numbers, " %lld %*s displayed (%lld %*[^,], %lld", &hazards, &errors, &warnings) != 3) continue;
    } else if (const char* number = behind("ERROR SUMMARY:")) {
      if (std::sscanf(number, " %lld", &errors) != 1) continue;
    } else {
      for (const char* begin :
           {"========= Invalid ", "========= Error: ", "========= ERROR: ", "========= Program hit "})
        found.reported += line.rfind(begin, 0) == 0;
      continue;
    }
    found.summary = true;
    found.errors += errors;
    found.hazards += hazards;
    found.warnings += warnings;
  }
  return found;
}

}  // namespace gru4rec::gpu_check
