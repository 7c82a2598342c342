#pragma once

#include "backend/backend.h"

/// Which layers the CUDA back end does with one kernel, its cell: an estimate of memory must know it without the
/// library, since the cell needs no work space.
namespace gru4rec::cuda_library {

constexpr int kMostCellHidden = 128;
/// A block of the cell streams all weights of the layer, of which a multiprocessor gets about 64 bytes a cycle
/// (cell.cu), at 1.7 GHz 110 KB in a microsecond. At 128 units and 256 inputs they are 590 KB and take about as long as
/// the three nodes that the cell saves forward, and the three backward.
constexpr int kMostCellInput = 256;

/// It is not asked how many rows a step has: a row's bits must not depend on the others.
inline bool cell_suits(const GruLayer& layer) {
  return layer.hidden() <= kMostCellHidden && layer.in() <= kMostCellInput;
}

}  // namespace gru4rec::cuda_library
