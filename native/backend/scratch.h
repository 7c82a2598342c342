#pragma once

#include <cstdint>

namespace gru4rec {

/// Work space that grows to the largest size asked for and stays, so that steps allocate nothing once warm.
/// @tparam Memory  has static functions `void* allocate(int64_t bytes)`, which throws ErrorCode::out_of_memory, and
///                 `void release(void*)`, which takes null, too
template <class T, class Memory>
class BasicScratch {
 public:
  BasicScratch() = default;
  BasicScratch(const BasicScratch&) = delete;
  BasicScratch& operator=(const BasicScratch&) = delete;
  ~BasicScratch() { Memory::release(data_); }

  /// Room for `size` elements; what was in it is lost when it has to grow.
  T* reserve(int64_t size) {
    if (size > size_) {
      Memory::release(data_);
      data_ = nullptr;
      size_ = 0;
      data_ = static_cast<T*>(Memory::allocate(size * static_cast<int64_t>(sizeof(T))));
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

}  // namespace gru4rec
