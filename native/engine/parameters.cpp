#include "engine/parameters.h"

#include <vector>

#include "core/error.h"

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

const TensorSpec& Parameters::tensor(const std::string& name) const {
  for (const TensorSpec& tensor : layout_.tensors())
    if (tensor.name == name) return tensor;
  throw Error(ErrorCode::argument, "Expected the name of a tensor of this model but received \"" + name + "\"");
}

void Parameters::read(const TensorSpec& tensor, Span<float> values) const {
  backend_.download(arena() + tensor.offset, values.size * static_cast<int64_t>(sizeof(float)), values.data);
}

void Parameters::write(const TensorSpec& tensor, Span<const float> values) {
  if (values.size != tensor.size())
    throw Error(ErrorCode::argument, "Expected " + std::to_string(tensor.size()) + " values for the tensor \"" +
                                         tensor.name + "\" but received " + std::to_string(values.size));
  backend_.upload(values.data, values.size * static_cast<int64_t>(sizeof(float)), arena() + tensor.offset);
}

}  // namespace gru4rec
