#pragma once

#include <cstdint>

#include "backends/cuda/memory.h"
#include "backends/cuda/runtime.h"

namespace gru4rec::cuda {

/// Device work space that grows to the largest size asked for and stays, so that steps allocate nothing once warm.
template <class T>
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { cudaFree(data_); }

  /// Room for `size` elements; what was in it is lost when it has to grow. Growing waits for the device.
  T* reserve(int64_t size) {
    if (size > size_) {
      GRU_CHECK(cudaFree(data_));
      data_ = nullptr;
      size_ = 0;
      data_ = static_cast<T*>(allocate_device_memory(size * static_cast<int64_t>(sizeof(T))));
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

}  // namespace gru4rec::cuda
