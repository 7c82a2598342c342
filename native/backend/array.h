#pragma once

#include <utility>

#include "backend/backend.h"

namespace gru4rec {

/// `size` elements of back-end memory, owned. The back end must outlive it.
template <class T>
class Array {
 public:
  Array() = default;
  Array(Backend& backend, int64_t size)
      : backend_(&backend),
        data_(size > 0 ? static_cast<T*>(backend.allocate(size * static_cast<int64_t>(sizeof(T)))) : nullptr),
        size_(size) {}
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Array() {
    if (data_ != nullptr) backend_->release(data_);
  }

  T* data() const { return data_; }
  int64_t size() const { return size_; }
  Span<T> span() const { return {data_, size_}; }
  Span<T> span(int64_t count) const { return {data_, count}; }
  MatrixView<T> matrix(int64_t rows, int64_t cols) const { return {data_, rows, cols}; }

  void upload(Span<const T> host) { backend_->upload(host.data, host.size * static_cast<int64_t>(sizeof(T)), data_); }
  void download(Span<T> host) const {
    backend_->download(data_, host.size * static_cast<int64_t>(sizeof(T)), host.data);
  }

 private:
  void swap(Array& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  Backend* backend_ = nullptr;
  T* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace gru4rec
