#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "emulated/language.h"

namespace gru4rec::emulator {

/// The shared memory of one block: every variable fresh, filled with NaN and between zones that must stay as they are.
class SharedMemory {
 public:
  SharedMemory() = default;
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  SharedMemory(SharedMemory&&) = default;

  /// A block starts: forgets all variables but the dynamic one.
  void start(size_t dynamic_bytes);
  /// The variable of `key`, made by the first thread that asks for it.
  void* variable(const void* key, size_t bytes, size_t alignment, const char* name);
  void* dynamic() const { return dynamic_; }
  /// Ends the process where something was written outside the variables.
  void check(uint3 block) const;
  bool contains(const void* address) const;

 private:
  struct Variable {
    const void* key;
    const char* name;
    char* first;
    size_t bytes;
  };

  char* add(const void* key, size_t bytes, size_t alignment, const char* name);

  char* memory_ = nullptr;  ///< never given back: blocks in flight are few
  size_t used_ = 0;
  size_t static_bytes_ = 0, dynamic_bytes_ = 0;
  char* dynamic_ = nullptr;
  std::vector<Variable> variables_;
};

}  // namespace gru4rec::emulator
