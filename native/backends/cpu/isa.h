#pragma once

namespace gru4rec::cpu {

/// Instruction sets with kernels of their own.
enum class Isa { portable, avx2, avx512 };

const char* name(Isa isa);
/// The best that this machine has and this build contains, or what GRU4REC_ISA ("avx512", "avx2", "portable") asks for.
/// Throws ErrorCode::device when that is unknown or not available.
Isa choose_isa();
/// Whether this machine and this build can run `isa`.
bool available(Isa isa);

}  // namespace gru4rec::cpu
