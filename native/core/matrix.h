#pragma once

#include <cstdint>
#include <type_traits>

namespace gru4rec {

/// Views are constexpr throughout so that device code may use them, too.

/// A view of a row-major matrix [rows, cols] in memory that somebody else owns. Row r starts at `data + r * stride`;
/// `stride` counts elements and is at least `cols`. Copying a view copies no elements.
template <class T>
struct MatrixView {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;

  MatrixView() = default;
  constexpr MatrixView(T* data_, int64_t rows_, int64_t cols_) : MatrixView(data_, rows_, cols_, cols_) {}
  constexpr MatrixView(T* data_, int64_t rows_, int64_t cols_, int64_t stride_)
      : data(data_), rows(rows_), cols(cols_), stride(stride_) {}

  /// A view that may be written is also one that may be read.
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  constexpr MatrixView(const MatrixView<U>& other)  // NOLINT(google-explicit-constructor): the conversion is the point
      : data(other.data), rows(other.rows), cols(other.cols), stride(other.stride) {}

  constexpr T* row(int64_t r) const { return data + r * stride; }
  constexpr T& operator()(int64_t r, int64_t c) const { return data[r * stride + c]; }
  constexpr int64_t size() const { return rows * cols; }
  constexpr bool empty() const { return rows == 0 || cols == 0; }
  constexpr bool contiguous() const { return stride == cols || rows <= 1; }

  /// Rows [first, first + count).
  constexpr MatrixView row_range(int64_t first, int64_t count) const {
    return {data + first * stride, count, cols, stride};
  }
  /// Columns [first, first + count).
  constexpr MatrixView col_range(int64_t first, int64_t count) const { return {data + first, rows, count, stride}; }
};

using Matrix = MatrixView<float>;
using ConstMatrix = MatrixView<const float>;

/// A view of `size` consecutive elements in memory that somebody else owns.
template <class T>
struct Span {
  T* data = nullptr;
  int64_t size = 0;

  Span() = default;
  constexpr Span(T* data_, int64_t size_) : data(data_), size(size_) {}
  template <class U, class = std::enable_if_t<std::is_same_v<const U, T>>>
  constexpr Span(const Span<U>& other) : data(other.data), size(other.size) {}  // NOLINT(google-explicit-constructor)

  constexpr T& operator[](int64_t i) const { return data[i]; }
  constexpr T* begin() const { return data; }
  constexpr T* end() const { return data + size; }
  constexpr bool empty() const { return size == 0; }
  constexpr Span range(int64_t first, int64_t count) const { return {data + first, count}; }
};

}  // namespace gru4rec
