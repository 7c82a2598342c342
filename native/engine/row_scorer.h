#pragma once

#include <vector>

#include "backend/array.h"
#include "engine/parameters.h"

namespace gru4rec {

/// Scores of some or all items for rows of hidden state, brought to the host a chunk of rows at a time.
class RowScorer {
 public:
  /// @param items  (host) the columns; empty = all items.
  /// @param rows  most rows of one call.
  RowScorer(const Parameters& parameters, Span<const int32_t> items, int64_t rows);

  /// Rows that are worth scoring at once, at most `rows`.
  static int64_t chunk(const Parameters& parameters, Span<const int32_t> items, int64_t rows);

  int64_t columns() const { return columns_; }
  /// Scores after the final activation of `hidden` [M, D] into host memory, [M, columns], valid until the next call. A
  /// softmax runs over the columns.
  ConstMatrix score(ConstMatrix hidden);

 private:
  const Parameters& parameters_;
  int64_t columns_;
  Array<int32_t> items_;
  Array<float> scores_;
  std::vector<float> host_;
};

/// Whether every score of the row is finite.
bool all_finite(ConstMatrix scores, int64_t row);

/// Throws ErrorCode::not_finite for session number `session` of the call.
[[noreturn]] void throw_not_finite(int64_t session);

}  // namespace gru4rec
