#pragma once

#include "backend/backend.h"

/// Which layers the CUDA back end does with one kernel, its cell: an estimate of memory must know it without the
/// library, since the cell needs no work space.
namespace gru4rec::cuda_library {

constexpr int kMostCellHidden = 128;
/// A block of the cell streams all weights of the layer, and one multiprocessor takes about 64 KB of them in a
/// microsecond: at 128 units and 256 inputs, 590 KB, that is as long as the four nodes that the cell saves.
constexpr int kMostCellInput = 256;

/// It is not asked how many rows a step has: a row's bits must not depend on the others.
inline bool cell_suits(const GruLayer& layer) {
  return layer.hidden() <= kMostCellHidden && layer.in() <= kMostCellInput;
}

}  // namespace gru4rec::cuda_library
