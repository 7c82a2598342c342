#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gru4rec {

/// Where the input of the first layer comes from.
enum class EmbeddingMode {
  none,      ///< a row of Wx0, the product of the layer's input weights with a one-hot vector
  separate,  ///< a row of an embedding table of its own
  shared,    ///< a row of the output weights Wy (the author's constrained_embedding)
};

enum class ActivationKind { linear, relu, tanh, leaky, elu, selu, softmax, softmax_logit };

/// An activation and its parameters. x >= 0: x (selu: lambda x, tanh: tanh x). x < 0: relu 0, leaky alpha x,
/// elu alpha (e^x - 1), selu lambda alpha (e^x - 1). softmax and softmax_logit work on whole rows of scores.
struct Activation {
  ActivationKind kind = ActivationKind::linear;
  float alpha = 1.0f;
  float lambda = 1.0f;
};

/// The sizes and functions that make a model, without anything that only training needs.
struct ModelSpec {
  int64_t items = 0;
  std::vector<int64_t> layers;  ///< hidden units of each layer, the first one first
  EmbeddingMode embedding = EmbeddingMode::shared;
  int64_t embedding_size = 0;  ///< width of the `separate` table; ignored in the other modes
  Activation hidden_act{ActivationKind::tanh};
  Activation final_act;
  bool reset_after = false;

  int64_t hidden() const { return layers.back(); }
  /// Width of the vector that enters the first layer; 0 where the input is a row of Wx0.
  int64_t input_size() const {
    return embedding == EmbeddingMode::none ? 0 : embedding == EmbeddingMode::shared ? hidden() : embedding_size;
  }
  /// Width of the vector that enters layer `l`.
  int64_t layer_input(int64_t l) const { return l == 0 ? input_size() : layers[l - 1]; }
};

/// Throws ErrorCode::config when a size is out of range or an activation is not one for hidden units.
void validate(const ModelSpec& spec);

/// How the factors of a matrix product are rounded before they are multiplied. Products are summed, and parameters and
/// optimiser state kept, in float32.
enum class Precision {
  float32,  ///< not at all
  tf32,     ///< to 10 bits of mantissa
  bf16,     ///< to 7 bits of mantissa
};

/// "float32", "tf32", "bf16"
const char* name(Precision precision);

enum class LossKind { cross_entropy, xe_logit, bpr, bpr_max, top1, top1_max };

/// A loss and its parameters; see docs/model.md for the terms.
struct Loss {
  LossKind kind = LossKind::cross_entropy;
  float smoothing = 0.0f;  ///< label smoothing, the two cross-entropies only
  float bpreg = 1.0f;      ///< weight of the score regularisation, bpr-max only
  Activation final_act;    ///< softmax with cross_entropy, softmax_logit with xe_logit, another one with the rest
};

enum class OptimiserKind { adagrad, sgd, rmsprop, adadelta, adam };

struct Optimiser {
  OptimiserKind kind = OptimiserKind::adagrad;
  float learning_rate = 0.05f;
  float momentum = 0.0f;
  float lmbd = 0.0f;            ///< weight decay
  float decay = 0.9f;           ///< r of rmsprop and adadelta, beta1 of adam
  float second_decay = 0.999f;  ///< beta2 of adam
};

/// Everything about training that does not change from epoch to epoch.
struct TrainingSpec {
  Loss loss;
  Optimiser optimiser;
  int64_t batch = 64;
  int64_t samples = 2048;
  double sample_alpha = 0.5;
  int64_t sample_store = 10'000'000;  ///< ids of negative samples drawn ahead; never changes the result
  double logq = 0.0;                  ///< no effect with the pairwise losses
  double dropout_embed = 0.0;
  double dropout_hidden = 0.0;
  double grad_cap = 0.0;  ///< 0 = no cap
  uint64_t seed = 42;
  bool random_order = false;
  int64_t bptt = 1;  ///< steps that a step's loss flows back through, its own included
  /// Of the products of training; evaluation and scores are always float32. None = tf32 where the device has it, else
  /// float32.
  std::optional<Precision> precision;
  /// Steps that a device which records them replays at a time; never changes the result. 0 = no recording, every
  /// operation is called by itself. None = by how long a step takes. Of no effect on the CPU.
  std::optional<int64_t> steps_per_launch;
};

/// Throws ErrorCode::config when a value is out of range or two of them contradict each other.
void validate(const TrainingSpec& spec);

}  // namespace gru4rec
