#include "backends/cpu/isa.h"

#include <cstdlib>
#include <string>

#include "core/error.h"

namespace gru4rec::cpu {

const char* name(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return "avx512";
    case Isa::avx2:
      return "avx2";
    case Isa::portable:
      break;
  }
  return "portable";
}

bool available(Isa isa) {
  switch (isa) {
    // The builtins also ask whether the operating system saves the registers.
#if defined(__x86_64__)
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && available(Isa::avx2);
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    case Isa::avx512:
    case Isa::avx2:
      return false;
#endif
    case Isa::portable:
      break;
  }
  return true;
}

Isa choose_isa() {
  constexpr Isa kBestFirst[] = {Isa::avx512, Isa::avx2, Isa::portable};
  const char* variable = std::getenv("GRU4REC_ISA");
  const std::string wanted = variable == nullptr ? "" : variable;
  for (const Isa isa : kBestFirst) {
    if (wanted.empty() ? !available(isa) : wanted != name(isa)) continue;
    if (available(isa)) return isa;
    throw Error(ErrorCode::device, "Expected GRU4REC_ISA to name an instruction set of this machine and build but " +
                                       wanted + " is not available");
  }
  throw Error(ErrorCode::device, "Expected GRU4REC_ISA to be avx512, avx2 or portable but received \"" + wanted + "\"");
}

}  // namespace gru4rec::cpu
