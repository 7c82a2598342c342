#include "backends/cuda/gemm/gemm.h"

#include "backends/cuda/gemm/tiled_gemm.h"

namespace gru4rec::cuda {

Gemm::Gemm(cudaStream_t stream, const std::string&) : stream_(stream) {}
Gemm::~Gemm() = default;
bool Gemm::supports(Precision precision) const { return precision == Precision::float32; }
std::string Gemm::description() const { return "own products"; }

void Gemm::multiply(const Factor& a, const Factor& b, bool accumulate, Matrix out) {
  if (!out.empty()) tiled_multiply(a, b, accumulate, out, stream_);
}

}  // namespace gru4rec::cuda
