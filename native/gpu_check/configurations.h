#pragma once

#include <string>
#include <vector>

#include "core/model_spec.h"

namespace gru4rec::gpu_check {

/// A published configuration.
struct Configuration {
  std::string name;
  ModelSpec model;
  TrainingSpec training;
  /// Mini-batches per second that were published for it; 0 = none were.
  double published = 0.0;
  /// Whether the number of items is a round one of about the right size: the sources name none.
  bool assumed_items = false;
  /// The same as the author's parameter string.
  std::string parameters;
};

/// The configurations whose speed is measured.
const std::vector<Configuration>& published_configurations();
/// Makes one smaller, for the emulator.
Configuration smaller(Configuration configuration);

}  // namespace gru4rec::gpu_check
