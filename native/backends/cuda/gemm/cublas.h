#pragma once

#include <cuda_runtime.h>

#include <memory>

#include "backends/cuda/gemm/cublas_library.h"
#include "backends/cuda/scratch.h"
#include "core/model_spec.h"

namespace gru4rec::cuda {

/// A factor as cuBLAS sees it: element (r, c) is at `data + r + c * leading`, or at `data + c + r * leading` where
/// transposed.
struct ColumnMajorFactor {
  const float* data;
  int leading;
  bool transposed;
};

/// cuBLAS on the streams of one device.
///
/// Its workspace is ours: without one it allocates its own and shares it out between calls, and neither equal bits on
/// every run nor recording calls in a graph is promised.
class Cublas {
 public:
  /// Made on the current device, for line 0 and `stream`. Throws ErrorCode::device, ErrorCode::out_of_memory.
  Cublas(const CublasLibrary& library, cudaStream_t stream);
  Cublas(const Cublas&) = delete;
  Cublas& operator=(const Cublas&) = delete;

  const CublasLibrary& library() const { return library_; }
  bool supports(Precision precision) const;
  /// Where the products that follow run: on `stream`, with the workspace of `line`. Lines from kProductLines on have
  /// none, and products there throw ErrorCode::device.
  void use(int line, cudaStream_t stream);

  /// c [m, n] <- a [m, k] b [k, n], or c + a b where `accumulate`, all column-major. m, n and k are at least 1.
  void multiply(int m, int n, int k, const ColumnMajorFactor& a, const ColumnMajorFactor& b, bool accumulate, float* c,
                int c_leading, Precision precision);

 private:
  const CublasLibrary& library_;
  int capability_;           ///< of the device: 90 = 9.0
  bool multiplies_ = true;   ///< the line that is used
  Scratch<char> workspace_;  ///< of all lines; outlives the handle
  std::unique_ptr<CublasContext, int (*)(CublasContext*)> handle_;
};

}  // namespace gru4rec::cuda
