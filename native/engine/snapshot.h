#pragma once

#include <memory>

#include "engine/stored_tensor.h"

namespace gru4rec {

/// A copy of tensors in host memory, to go back to.
class Snapshot {
 public:
  bool taken() const { return content_ != nullptr; }
  /// Copies `tensors`; what was kept before is overwritten.
  void take(Backend& backend, const StoredTensors& tensors);
  /// Brings the content back. `tensors` are those that were taken. Throws ErrorCode::argument when nothing was.
  void restore(Backend& backend, const StoredTensors& tensors) const;

 private:
  std::unique_ptr<char[]> content_;
  int64_t bytes_ = 0;
};

}  // namespace gru4rec
