#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace gru4rec {

/// One matrix of a model's state in the memory of a back end, row-major without gaps: what model files and snapshots
/// consist of.
struct StoredTensor {
  enum class Type { float32, int32 };  ///< four bytes each

  std::string name;
  Type type = Type::float32;
  int64_t rows = 0;
  int64_t cols = 0;
  void* data = nullptr;

  int64_t size() const { return rows * cols; }
  int64_t bytes() const { return size() * kElementBytes; }

  /// Elements [first, first + count) to or from host memory. Throw ErrorCode::argument where they are not inside.
  void read(Backend& backend, int64_t first, int64_t count, void* host) const;
  void write(Backend& backend, int64_t first, int64_t count, const void* host) const;

 private:
  static constexpr int64_t kElementBytes = 4;

  char* element(int64_t first, int64_t count) const;
};

using StoredTensors = std::vector<StoredTensor>;

}  // namespace gru4rec
