#pragma once

#include "core/model_spec.h"
#include "reference/gru.h"
#include "reference/table.h"

/// A layer's parameters in the layout of LayerTensors, as float32: what both the back end and the reference start from.
namespace gru4rec::reference {

struct LayerTables {
  Table<float> candidate;              ///< [H + in, H]
  Table<float> gates;                  ///< [in + H, 2H]
  Table<float> bias;                   ///< [1, 3H]
  Table<float> candidate_hidden_bias;  ///< [1, H] or empty
  Activation activation;
};

template <class T>
GruParameters<T> split(const LayerTables& layer) {
  return split(as<T>(layer.candidate), as<T>(layer.gates), as<T>(layer.bias), as<T>(layer.candidate_hidden_bias));
}

/// The tensors of a layer, put together from its matrices.
template <class T>
struct JoinedParameters {
  Table<T> candidate, gates, bias, candidate_hidden_bias;
};

template <class T>
JoinedParameters<T> join(const GruParameters<T>& p) {
  const int64_t in = p.wxc.rows, h = p.whc.rows;
  JoinedParameters<T> out{Table<T>(h + in, h), Table<T>(in + h, 2 * h), Table<T>(1, 3 * h), p.bhc};
  place(p.whc, 0, 0, out.candidate);
  place(p.wxc, h, 0, out.candidate);
  place(p.wxr, 0, 0, out.gates);
  place(p.wxz, 0, h, out.gates);
  place(p.whr, in, 0, out.gates);
  place(p.whz, in, h, out.gates);
  place(p.bc, 0, 0, out.bias);
  place(p.br, 0, h, out.bias);
  place(p.bz, 0, 2 * h, out.bias);
  return out;
}

}  // namespace gru4rec::reference
