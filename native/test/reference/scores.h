#pragma once

#include <cstdint>
#include <vector>

#include "reference/gru.h"
#include "reference/number.h"
#include "reference/table.h"

/// Scores of items and what comes back from them (docs/model.md, "Scores and losses" and "Prediction and evaluation").
namespace gru4rec::reference {

/// [M, C], C = items: hidden weight[items]^T + bias[items].
template <class T>
Table<T> scores(const Table<T>& hidden, const Table<T>& weight, const Table<T>& bias,
                const std::vector<int32_t>& items) {
  Table<T> out(hidden.rows, static_cast<int64_t>(items.size()));
  for (int64_t i = 0; i < out.rows; ++i)
    for (int64_t j = 0; j < out.cols; ++j) {
      Total<T> total;
      for (int64_t d = 0; d < hidden.cols; ++d) total.add(hidden(i, d) * weight(items[j], d));
      total.add(bias(items[j], 0));
      out(i, j) = total.sum();
    }
  return out;
}

/// Columns 0 .. targets - 1 lose logq * log(support), the others logq * log(support^alpha).
template <class T>
void correct_for_popularity(double logq, double alpha, const std::vector<T>& log_support,
                            const std::vector<int32_t>& items, int64_t targets, Table<T>& scores) {
  for (int64_t i = 0; i < scores.rows; ++i)
    for (int64_t j = 0; j < scores.cols; ++j)
      scores(i, j) = scores(i, j) - T(j < targets ? logq : logq * alpha) * log_support[items[j]];
}

template <class T>
struct ScoresBackward {
  Table<T> hidden;  ///< [M, D]
  Table<T> weight;  ///< [C, D], a row a column of the scores
  Table<T> bias;    ///< [C, 1]
};

template <class T>
ScoresBackward<T> scores_backward(const Table<T>& gradient, const Table<T>& hidden, const Table<T>& weight,
                                  const std::vector<int32_t>& items) {
  Table<T> rows(static_cast<int64_t>(items.size()), hidden.cols);
  for (int64_t j = 0; j < rows.rows; ++j)
    for (int64_t d = 0; d < rows.cols; ++d) rows(j, d) = weight(items[j], d);
  return {product(gradient, rows), product(transpose(gradient), hidden), transpose(column_sums(gradient))};
}

/// 0 .. count - 1
inline std::vector<int32_t> all_items(int64_t count) {
  std::vector<int32_t> items(count);
  for (int64_t i = 0; i < count; ++i) items[i] = static_cast<int32_t>(i);
  return items;
}

}  // namespace gru4rec::reference
