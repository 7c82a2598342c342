#pragma once

#include "backend/array.h"
#include "backend/backend.h"
#include "core/model_spec.h"
#include "core/parameter_layout.h"
#include "engine/stored_tensor.h"

namespace gru4rec {

/// The parameters of one model, in the memory of a back end.
class Parameters {
 public:
  /// All parameters are zero until `initialise` or `write`. The back end must outlive them.
  Parameters(Backend& backend, const ModelSpec& spec);

  Backend& backend() const { return backend_; }
  const ModelSpec& spec() const { return spec_; }
  const ParameterLayout& layout() const { return layout_; }
  float* arena() const { return arena_.data(); }

  GruLayer layer(int64_t l) const;
  ConstMatrix output_weight() const { return view(arena_.data(), layout_.output_weight()); }
  ConstMatrix output_bias() const { return view(arena_.data(), layout_.output_bias()); }
  /// The table whose rows enter the first layer: Wx0 in `none` mode, E in `separate`, Wy in `shared` mode.
  ConstMatrix input_table() const;

  void initialise(const InitialWeights& how);
  /// All tensors, in the order of the layout.
  StoredTensors tensors() const;

 private:
  Backend& backend_;
  ModelSpec spec_;
  ParameterLayout layout_;
  Array<float> arena_;
};

}  // namespace gru4rec
