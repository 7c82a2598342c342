#include "core/parameter_layout.h"

#include <algorithm>
#include <cmath>

#include "core/philox.h"

namespace gru4rec {

namespace {

constexpr double kTwoPi = 6.283185307179586476925286766559;

// Tensor numbers of docs/random.md: the `step` of the initial weights' stream.
constexpr uint64_t kOutputWeightStream = 1, kInputTableStream = 2;
constexpr uint64_t kFirstCandidateStream = 16, kFirstGatesStream = 17, kStreamsPerLayer = 2;

/// Element `index` of a stream of initial weights.
float initial_weight(const RandomStream& stream, uint64_t index, double bound, bool normal) {
  if (!normal) {
    const int32_t odd = static_cast<int32_t>((random_word(stream, index) >> 8) * 2 + 1) - (1 << 24);
    return static_cast<float>(odd / 16777216.0) * static_cast<float>(bound);
  }
  const uint64_t pair = random_uint64(stream, index);
  const double u = (static_cast<double>(static_cast<uint32_t>(pair)) + 0.5) / 4294967296.0;
  const double v = static_cast<double>(static_cast<uint32_t>(pair >> 32)) / 4294967296.0;
  return static_cast<float>(std::sqrt(-2.0 * std::log(u)) * std::cos(kTwoPi * v) * bound);
}

/// Fills rows [first, first + count) of a tensor whose gate matrices on their own are [rows_alone, cols_alone].
void fill_rows(Matrix tensor, int64_t first, int64_t count, int64_t rows_alone, int64_t cols_alone,
               const RandomStream& stream, const InitialWeights& how) {
  const double bound = how.sigma > 0.0 ? how.sigma : std::sqrt(6.0 / static_cast<double>(rows_alone + cols_alone));
  for (int64_t r = first; r < first + count; ++r)
    for (int64_t c = 0; c < tensor.cols; ++c)
      tensor(r, c) = initial_weight(stream, static_cast<uint64_t>(r * tensor.cols + c), bound, how.normal);
}

}  // namespace

ParameterLayout::ParameterLayout(const ModelSpec& spec) {
  for (size_t l = 0; l < spec.layers.size(); ++l) {
    const int64_t hidden = spec.layers[l], in = spec.layer_input(static_cast<int64_t>(l));
    const std::string prefix = "layers." + std::to_string(l) + ".";
    LayerTensors layer;
    layer.candidate = add(prefix + "candidate.weight", hidden + in, hidden, false);
    layer.gates = add(prefix + "gates.weight", in + hidden, 2 * hidden, false);
    layer.bias = add(prefix + "bias", 1, 3 * hidden, false);
    if (spec.reset_after) layer.candidate_hidden_bias = add(prefix + "candidate_hidden.bias", 1, hidden, false);
    layers_.push_back(layer);
  }
  dense_size_ = size_;
  output_weight_ = add("output.weight", spec.items, spec.hidden(), true);
  output_bias_ = add("output.bias", spec.items, 1, true);
  if (spec.embedding == EmbeddingMode::separate)
    input_table_ = add("input.embedding", spec.items, spec.embedding_size, true);
  if (spec.embedding == EmbeddingMode::none) input_table_ = add("input.weight", spec.items, 3 * spec.layers[0], true);
}

TensorSpec ParameterLayout::add(const std::string& name, int64_t rows, int64_t cols, bool table) {
  TensorSpec tensor{name, rows, cols, size_, table};
  size_ += (tensor.size() + kAlignment - 1) / kAlignment * kAlignment;
  tensors_.push_back(tensor);
  return tensor;
}

void initialise(const ModelSpec& spec, const ParameterLayout& layout, const InitialWeights& how, float* arena) {
  std::fill(arena, arena + layout.size(), 0.0f);
  const auto stream = [&](uint64_t number) { return random_stream(how.seed, Purpose::initial_weights, number); };

  for (size_t l = 0; l < spec.layers.size(); ++l) {
    const int64_t hidden = spec.layers[l], in = spec.layer_input(static_cast<int64_t>(l));
    const LayerTensors& layer = layout.layer(static_cast<int64_t>(l));
    const RandomStream candidate = stream(kFirstCandidateStream + kStreamsPerLayer * l);
    const RandomStream gates = stream(kFirstGatesStream + kStreamsPerLayer * l);
    fill_rows(view(arena, layer.candidate), 0, hidden, hidden, hidden, candidate, how);
    fill_rows(view(arena, layer.candidate), hidden, in, in, hidden, candidate, how);
    fill_rows(view(arena, layer.gates), 0, in, in, hidden, gates, how);
    fill_rows(view(arena, layer.gates), in, hidden, hidden, hidden, gates, how);
  }
  const TensorSpec& output = layout.output_weight();
  fill_rows(view(arena, output), 0, output.rows, output.rows, output.cols, stream(kOutputWeightStream), how);
  const TensorSpec& input = layout.input_table();
  const int64_t alone = spec.embedding == EmbeddingMode::none ? spec.layers[0] : input.cols;
  fill_rows(view(arena, input), 0, input.rows, input.rows, alone, stream(kInputTableStream), how);
}

}  // namespace gru4rec
