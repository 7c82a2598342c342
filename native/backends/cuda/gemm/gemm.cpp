#include "backends/cuda/gemm/gemm.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "backends/cuda/gemm/cublas.h"
#include "backends/cuda/gemm/tiled_gemm.h"
#include "core/error.h"

namespace gru4rec::cuda {

namespace {

/// Distance of a matrix's rows, for cuBLAS, which wants at least their length and at least 1.
int64_t leading(ConstMatrix matrix) { return std::max({matrix.stride, matrix.cols, int64_t{1}}); }

bool fit_in_int(std::initializer_list<int64_t> sizes) { return std::max(sizes) <= std::numeric_limits<int>::max(); }

}  // namespace

Gemm::Gemm(cudaStream_t stream, const std::string& cublas_path) : stream_(stream) {
  const CublasSearch found = find_cublas(cublas_path, [&](const CublasLibrary& library) -> std::string {
    try {
      cublas_ = std::make_unique<Cublas>(library, stream);
    } catch (const Error& error) {
      // Another library would find no more memory.
      if (error.code() == ErrorCode::out_of_memory) throw;
      return error.what();
    }
    return "";
  });
  missing_ = {found.problem, found.wanted};
}

Gemm::~Gemm() = default;

void Gemm::use(int line, cudaStream_t stream) {
  stream_ = stream;
  if (cublas_) cublas_->use(line, stream);
}

bool Gemm::supports(Precision precision) const {
  return cublas_ ? cublas_->supports(precision) : precision == Precision::float32;
}

std::string Gemm::description() const {
  return cublas_ ? "cuBLAS " + cublas_version_text(cublas_->library().version) : "own products";
}

void Gemm::multiply(const Factor& a, const Factor& b, bool accumulate, Matrix out) {
  if (out.empty()) return;
  const int64_t terms = a.cols(), a_leading = leading(a.matrix), b_leading = leading(b.matrix),
                out_leading = leading(out);
  // What cuBLAS makes of sums of no terms is not documented, and its sizes are ints.
  if (!cublas_ || terms == 0 || !fit_in_int({out.rows, out.cols, terms, a_leading, b_leading, out_leading})) {
    tiled_multiply(a, b, accumulate, out, stream_);
    return;
  }
  // cuBLAS is column-major: it takes the rows of a matrix for columns, that is, the matrix for its transpose. So the
  // product that it is asked for is out^T = b^T a^T, and what is transposed for us is transposed for it.
  const ColumnMajorFactor left{b.matrix.data, static_cast<int>(b_leading), b.transposed};
  const ColumnMajorFactor right{a.matrix.data, static_cast<int>(a_leading), a.transposed};
  cublas_->multiply(static_cast<int>(out.cols), static_cast<int>(out.rows), static_cast<int>(terms), left, right,
                    accumulate, out.data, static_cast<int>(out_leading), precision_);
}

}  // namespace gru4rec::cuda
