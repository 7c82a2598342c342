#pragma once

#include <cstdint>

#include "core/philox.h"

namespace gru4rec::cpu {

/// row <- row * mask, for the elements of row `i` of a matrix of this width.
void apply_dropout(const Dropout& dropout, int64_t i, int64_t width, float* row);

}  // namespace gru4rec::cpu
