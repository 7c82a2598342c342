#pragma once

#include <cstdint>

#include "backends/cpu/isa.h"
#include "core/model_spec.h"
#include "core/philox.h"

namespace gru4rec::cpu {

/// One row of a GRU step. H = hidden; `gates` and `input_gates` are [3H]: candidate, reset, update.
struct GruRow {
  int64_t hidden;
  Activation activation;
  const float* input_gates;  ///< null = none
  float* gates;              ///< products and biases before the activation, then the activated gates
  const float* state;        ///< h [H]
  float* reset_state;        ///< [H]: r * h (reset before the product) or h Whc + bhc (after it)
};

/// One row of the backward step. All [H] but `gates` and `gate_gradients` [3H].
struct GruRowGradient {
  int64_t hidden;
  Activation activation;
  const float* gates;
  const float* state;
  const float* reset_state;
  float* gradient;  ///< in: of the new state
  float* gate_gradients;
  float* state_gradient;  ///< of the old state; null = not wanted
};

/// One row of a table, or a piece of the dense part, and what its optimiser remembers; unused states are null.
struct UpdatedRow {
  float* value;
  float* first;
  float* second;
  float* velocity;
};

/// adam's 1 / (1 - beta^t) for the first and the second moment.
struct AdamCorrection {
  float first = 1.0f;
  float second = 1.0f;
};

/// The gradient of one row: the sum of rows of a matrix, in the order given.
struct SummedRows {
  const float* data;
  int64_t stride;
  const int32_t* rows;
  int64_t count;
  float scale;
};

/// Words that random_words may write behind those asked for: it fills whole vectors.
constexpr int64_t kRandomWordsMargin = 28;

/// Loops over rows of floats, compiled for one instruction set. The CPU back end cuts the work into rows and calls
/// these; each works on memory of its row alone.
struct Kernels {
  /// Words of `blocks` random blocks, in the order of the stream. Room for
  /// 4 blocks + kRandomWordsMargin.
  void (*random_words)(const RandomStream& stream, uint32_t first_block, int64_t blocks, uint32_t* words);
  /// to [n] <- from * mask, for elements first_index, first_index + 1, … of a matrix. `to` may be `from`.
  void (*dropout)(const Dropout& dropout, uint64_t first_index, int64_t n, const float* from, float* to);

  /// r, z <- sigmoid, in place. With `reset_before`, reset_state <- r * h.
  void (*gru_gates)(const GruRow& row, bool reset_before);
  /// c <- activation, in place, with r * reset_state added before it unless `reset_before`.
  /// out <- (1 - z) * h + z * c
  void (*gru_state)(const GruRow& row, bool reset_before, float* out);
  /// Gradients of the candidate and update gates before their activation. Unless `reset_before`, also of the reset
  /// gate, and `gradient` <- of reset_state. The state's gradient, where it is wanted, <- (1 - z) * gradient.
  void (*gru_state_backward)(const GruRowGradient& row, bool reset_before);
  /// Gradient of the reset gate from that of r * h, `reset_gradient`, which adds to the state's, too.
  void (*gru_reset_backward)(const GruRowGradient& row, const float* reset_gradient);

  /// One row of a loss: scores [n] <- gradient of (row loss * scale) by the raw scores; returns the row loss.
  /// @param work  room for 3 n floats
  double (*loss_row)(const Loss& loss, int64_t target, int64_t n, float scale, float* scores, float* work);
  /// In place; softmax over the row.
  void (*activate)(const Activation& activation, int64_t n, float* row);

  /// One optimiser step for `n` parameters.
  void (*update)(const Optimiser& optimiser, const AdamCorrection& correction, const SummedRows& gradient, int64_t n,
                 const UpdatedRow& row);
  /// Sum of the squares of the summed rows (without `scale`).
  double (*squared_norm)(const SummedRows& gradient, int64_t n);
  /// sums [n] <- sums of the columns of a matrix [rows, n], from the first row to the last; with `add`, added to what
  /// is there.
  void (*column_sums)(const float* data, int64_t rows, int64_t stride, int64_t n, bool add, float* sums);

  /// Adds the numbers of scores above and equal to `pivot`. False when a score is not finite.
  bool (*count_above)(const float* scores, int64_t n, float pivot, int32_t* greater, int32_t* equal);
  /// index <- places of the scores above `threshold` (-infinity takes all), ascending; returns how many. Room for n.
  int64_t (*collect_above)(const float* scores, int64_t n, float threshold, int32_t* index);
  bool (*all_finite)(const float* scores, int64_t n);
  /// max and sum of exp(score - max).
  void (*exp_sum)(const float* scores, int64_t n, float* max, double* sum);
};

const Kernels& kernels(Isa isa);

}  // namespace gru4rec::cpu
