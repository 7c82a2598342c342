#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <string>

#include "backend/backend.h"
#include "core/matrix.h"
#include "core/model_spec.h"

namespace gru4rec::cuda {

class Cublas;

/// A factor of a product: a matrix as it is stored, and whether its transpose is meant.
struct Factor {
  ConstMatrix matrix;
  bool transposed = false;

  int64_t rows() const { return transposed ? matrix.cols : matrix.rows; }
  int64_t cols() const { return transposed ? matrix.rows : matrix.cols; }
};

/// Products of row-major matrices: by cuBLAS where one is found that works on the device, else by a
/// kernel of our own.
class Gemm {
 public:
  /// Made on the current device, for line 0 and `stream`. Throws ErrorCode::device for a cuBLAS that was named and
  /// cannot be used, ErrorCode::out_of_memory.
  /// @param cublas_path  as for find_cublas
  Gemm(cudaStream_t stream, const std::string& cublas_path);
  ~Gemm();
  Gemm(const Gemm&) = delete;
  Gemm& operator=(const Gemm&) = delete;

  bool supports(Precision precision) const;
  /// Where the products that follow run; lines as in Cublas.
  void use(int line, cudaStream_t stream);
  void set_precision(Precision precision) { precision_ = precision; }
  /// "cuBLAS 13.0.2" or "own products"
  std::string description() const;
  /// cuBLAS, where the products are our own.
  const Missing& missing() const { return missing_; }

  /// out <- a b, or out + a b where `accumulate`. Sizes of 0 are fine, strides and sizes of any 64 bits, too.
  void multiply(const Factor& a, const Factor& b, bool accumulate, Matrix out);

 private:
  cudaStream_t stream_;
  std::unique_ptr<Cublas> cublas_;  ///< null = the products are our own
  Missing missing_;
  Precision precision_ = Precision::float32;
};

}  // namespace gru4rec::cuda
