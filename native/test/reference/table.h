#pragma once

#include <cstdint>
#include <vector>

namespace gru4rec::reference {

/// A matrix that owns its elements, row after row.
template <class T>
struct Table {
  int64_t rows = 0;
  int64_t cols = 0;
  std::vector<T> data;

  Table() = default;
  Table(int64_t rows_, int64_t cols_, T value = T{}) : rows(rows_), cols(cols_), data(rows_ * cols_, value) {}

  T& operator()(int64_t r, int64_t c) { return data[r * cols + c]; }
  const T& operator()(int64_t r, int64_t c) const { return data[r * cols + c]; }
  bool empty() const { return data.empty(); }
};

/// The same elements as exact Ts.
template <class T, class U>
Table<T> as(const Table<U>& table) {
  Table<T> out(table.rows, table.cols);
  for (size_t i = 0; i < table.data.size(); ++i) out.data[i] = T(static_cast<double>(table.data[i]));
  return out;
}

/// Rows [first, first + count) and columns [first_col, first_col + cols).
template <class T>
Table<T> block(const Table<T>& table, int64_t first, int64_t count, int64_t first_col, int64_t cols) {
  Table<T> out(count, cols);
  for (int64_t r = 0; r < count; ++r)
    for (int64_t c = 0; c < cols; ++c) out(r, c) = table(first + r, first_col + c);
  return out;
}

/// Writes `part` into `table` at (first, first_col).
template <class T>
void place(const Table<T>& part, int64_t first, int64_t first_col, Table<T>& table) {
  for (int64_t r = 0; r < part.rows; ++r)
    for (int64_t c = 0; c < part.cols; ++c) table(first + r, first_col + c) = part(r, c);
}

}  // namespace gru4rec::reference
