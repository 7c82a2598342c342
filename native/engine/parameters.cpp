#include "engine/parameters.h"

#include <vector>

namespace gru4rec {

Parameters::Parameters(Backend& backend, const ModelSpec& spec)
    : backend_(backend), spec_(spec), layout_((validate(spec), spec)), arena_(backend, layout_.size()) {
  backend_.fill(0.0f, arena_.matrix(1, arena_.size()));
}

GruLayer Parameters::layer(int64_t l) const {
  const LayerTensors& tensors = layout_.layer(l);
  const float* arena = arena_.data();
  return {view(arena, tensors.candidate), view(arena, tensors.gates), view(arena, tensors.bias),
          view(arena, tensors.candidate_hidden_bias), spec_.hidden_act};
}

ConstMatrix Parameters::input_table() const {
  return spec_.embedding == EmbeddingMode::shared ? output_weight() : view(arena(), layout_.input_table());
}

void Parameters::initialise(const InitialWeights& how) {
  std::vector<float> host(layout_.size());
  gru4rec::initialise(spec_, layout_, how, host.data());
  arena_.upload({host.data(), layout_.size()});
}

StoredTensors Parameters::tensors() const {
  StoredTensors tensors;
  for (const TensorSpec& tensor : layout_.tensors())
    tensors.push_back(
        {tensor.name, StoredTensor::Type::float32, tensor.rows, tensor.cols, arena_.data() + tensor.offset});
  return tensors;
}

}  // namespace gru4rec
