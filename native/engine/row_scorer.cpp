#include "engine/row_scorer.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"
#include "engine/ranking_rows.h"

namespace gru4rec {

namespace {

int64_t count_columns(const Parameters& parameters, Span<const int32_t> items) {
  return items.empty() ? parameters.spec().items : items.size;
}

}  // namespace

RowScorer::RowScorer(const Parameters& parameters, Span<const int32_t> items, int64_t rows)
    : parameters_(parameters),
      columns_(count_columns(parameters, items)),
      items_(parameters.backend(), items.size),
      scores_(parameters.backend(), rows * columns_),
      host_(rows * columns_) {
  items_.upload(items);
}

int64_t RowScorer::chunk(const Parameters& parameters, Span<const int32_t> items, int64_t rows) {
  const int64_t at_once = rows_per_scoring(parameters.backend(), parameters.spec(), count_columns(parameters, items));
  return std::max<int64_t>(1, std::min(at_once, rows));
}

ConstMatrix RowScorer::score(ConstMatrix hidden) {
  Backend& backend = parameters_.backend();
  const Matrix scores = scores_.matrix(hidden.rows, columns_);
  backend.scores(hidden, parameters_.output_weight(), parameters_.output_bias(), items_.span(), LogQ{}, scores);
  backend.activate_scores(parameters_.spec().final_act, scores);
  scores_.download({host_.data(), hidden.rows * columns_});
  return {host_.data(), hidden.rows, columns_};
}

bool all_finite(ConstMatrix scores, int64_t row) {
  const float* from = scores.row(row);
  return std::all_of(from, from + scores.cols, [](float score) { return std::isfinite(score); });
}

void throw_not_finite(int64_t session) {
  throw Error(ErrorCode::not_finite,
              "Expected finite scores but session " + std::to_string(session) + " has one that is not");
}

}  // namespace gru4rec
