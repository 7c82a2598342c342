#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"

namespace gru4rec::cpu {

/// Aligned to 64 bytes; null when there is no memory left.
void* allocate_aligned(int64_t bytes);
/// What allocate_aligned asks of the system for `bytes`.
int64_t allocation_size(int64_t bytes);
void release_aligned(void* memory);

/// Work space that grows to the largest size asked for and stays, so that steps allocate nothing once warm.
template <class T>
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { release_aligned(data_); }

  /// Room for `size` elements; what was in it is lost when it has to grow.
  T* reserve(int64_t size) {
    if (size > size_) {
      release_aligned(data_);
      size_ = 0;
      data_ = static_cast<T*>(allocate_aligned(size * static_cast<int64_t>(sizeof(T))));
      if (data_ == nullptr) {
        throw Error(ErrorCode::out_of_memory, "Expected " + std::to_string(size * sizeof(T)) +
                                                  " bytes of work space but received none: out of memory");
      }
      size_ = size;
    }
    return data_;
  }
  T* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  T* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace gru4rec::cpu
