#pragma once

#include <string>

#include "backend/array.h"
#include "backend/backend.h"

namespace gru4rec::gpu_check {

/// A factor of a product as it lies in memory.
struct StoredFactor {
  ConstMatrix matrix;
  bool transposed = false;

  int64_t rows() const { return transposed ? matrix.cols : matrix.rows; }
  int64_t cols() const { return transposed ? matrix.rows : matrix.cols; }
};

/// cuBLAS without the back end, on a stream of its own, as the measure of products: one call of the library each.
/// Prototypes are those of its documentation (cublasGemmEx, cublasSetStream, cublasSetWorkspace).
class CublasAlone {
 public:
  /// @param backend  whose device it is; must outlive it
  /// @param path  of the library
  /// Throws std::runtime_error where the library or a call of it fails.
  CublasAlone(Backend& backend, const std::string& path, Precision precision);
  ~CublasAlone();
  CublasAlone(const CublasAlone&) = delete;
  CublasAlone& operator=(const CublasAlone&) = delete;

  /// out [M, N] <- left [M, K] right [K, N]
  void multiply(const StoredFactor& left, const StoredFactor& right, Matrix out);
  /// Waits for the products.
  void synchronize();

 private:
  void* find(void* library, const char* name) const;
  void expect_success(int status, const char* call) const;

  std::string path_;
  int compute_type_;
  void* library_ = nullptr;
  void* streams_ = nullptr;  ///< the library that has streams: the driver
  bool emulated_ = false;
  void* handle_ = nullptr;
  void* stream_ = nullptr;
  Array<float> workspace_;
  int (*gemm_)(void* handle, int a_operation, int b_operation, int m, int n, int k, const void* alpha, const void* a,
               int a_type, int a_leading, const void* b, int b_type, int b_leading, const void* beta, void* c,
               int c_type, int c_leading, int compute_type, int algorithm) = nullptr;
  int (*wait_)(void* stream) = nullptr;
};

}  // namespace gru4rec::gpu_check
