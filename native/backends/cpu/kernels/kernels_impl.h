#pragma once

#include "backends/cpu/kernels/gru_impl.h"
#include "backends/cpu/kernels/loss_impl.h"
#include "backends/cpu/kernels/random_impl.h"
#include "backends/cpu/kernels/ranking_impl.h"
#include "backends/cpu/kernels/update_impl.h"

namespace gru4rec::cpu::GRU_ISA {

/// A constant, so that no code of this instruction set runs before it was chosen.
constexpr Kernels kKernels{random_words,       dropout,     gru_gates,     gru_state,  gru_state_backward,
                           gru_reset_backward, loss_row,    activate,      update,     squared_norm,
                           column_sums,        count_above, collect_above, all_finite, exp_sum};

}  // namespace gru4rec::cpu::GRU_ISA
