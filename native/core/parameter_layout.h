#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/matrix.h"
#include "core/model_spec.h"

namespace gru4rec {

/// One parameter matrix inside the arena. Vectors are matrices: [1, n] for the biases of a layer, [items, 1] for By.
struct TensorSpec {
  std::string name;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t offset = 0;  ///< in floats from the start of the arena; a multiple of kAlignment
  bool table = false;  ///< a row an item: updated row by row where a step touched it

  int64_t size() const { return rows * cols; }
};

/// The tensors of one layer. The widths are H for the layer's hidden units and `in` for its input.
struct LayerTensors {
  TensorSpec candidate;              ///< [H + in, H]: rows of Whc, then rows of Wxc
  TensorSpec gates;                  ///< [in + H, 2H]: rows of [Wxr | Wxz], then rows of [Whr | Whz]
  TensorSpec bias;                   ///< [1, 3H]: candidate, reset, update
  TensorSpec candidate_hidden_bias;  ///< bhc [1, H] with reset_after, else [0, 0]
};

/// Where every parameter lives in one arena of floats: first the dense part (all layers), then the tables (a row an
/// item). Gradients and optimiser states use arenas of the same layout.
///
/// The order inside a layer is chosen for the products: with the step's activations side by side as
/// [reset state (H) | input (in) | hidden state (H)], the candidate is one product of the first two with `candidate`
/// and the gates are one product of the last two with `gates`.
class ParameterLayout {
 public:
  static constexpr int64_t kAlignment = 16;  ///< floats: 64 bytes

  explicit ParameterLayout(const ModelSpec& spec);

  /// All tensors, in the order of their offsets.
  const std::vector<TensorSpec>& tensors() const { return tensors_; }
  const LayerTensors& layer(int64_t l) const { return layers_[l]; }
  const TensorSpec& output_weight() const { return output_weight_; }  ///< Wy [items, hidden]
  const TensorSpec& output_bias() const { return output_bias_; }      ///< By [items, 1]
  /// E [items, embedding_size] in `separate` mode, Wx0 [items, 3 H1] (candidate, reset, update) in `none` mode, else
  /// [0, 0].
  const TensorSpec& input_table() const { return input_table_; }

  int64_t dense_size() const { return dense_size_; }  ///< floats in the dense part, paddings included
  int64_t size() const { return size_; }              ///< floats in the whole arena

 private:
  TensorSpec add(const std::string& name, int64_t rows, int64_t cols, bool table);

  std::vector<TensorSpec> tensors_;
  std::vector<LayerTensors> layers_;
  TensorSpec output_weight_, output_bias_, input_table_;
  int64_t dense_size_ = 0;
  int64_t size_ = 0;
};

inline Matrix view(float* arena, const TensorSpec& tensor) { return {arena + tensor.offset, tensor.rows, tensor.cols}; }
inline ConstMatrix view(const float* arena, const TensorSpec& tensor) {
  return {arena + tensor.offset, tensor.rows, tensor.cols};
}

/// How initial weights are drawn (docs/model.md, "Optimisers"; docs/random.md for the numbers).
struct InitialWeights {
  double sigma = 0.0;   ///< > 0 replaces the bound sqrt(6 / (rows + cols)) of each matrix
  bool normal = false;  ///< the bound is the standard deviation of a normal distribution
  uint64_t seed = 42;
};

/// Fills `arena` [layout.size()] with initial weights: biases and paddings 0, matrices random.
void initialise(const ModelSpec& spec, const ParameterLayout& layout, const InitialWeights& how, float* arena);

}  // namespace gru4rec
