#pragma once

#include <cstdint>
#include <memory>

#include "backends/cpu/isa.h"
#include "backends/cpu/thread_pool.h"
#include "core/matrix.h"

namespace gru4rec::cpu {

/// One factor of a product: a stored matrix, read as it is or transposed, or some of its rows in a given order.
struct Factor {
  ConstMatrix stored;
  bool transposed = false;
  /// Null, or the rows of `stored` that make up the factor before transposition (a gather while packing).
  const int32_t* gathered = nullptr;
  int64_t gathered_rows = 0;

  int64_t stored_rows() const { return gathered != nullptr ? gathered_rows : stored.rows; }
  int64_t rows() const { return transposed ? stored.cols : stored_rows(); }
  int64_t cols() const { return transposed ? stored_rows() : stored.cols; }
};

/// What is done to C while it is written.
struct Epilogue {
  bool accumulate = false;            ///< C += product instead of C = product
  const float* column_add = nullptr;  ///< [cols of C], added to every row after the product
};

/// C [m, n] <- A [m, k] B [k, n] (+ epilogue), float32.
///
/// Every element is the same sum in the same order whatever m, n, its position and the number of threads: it depends on
/// its row of A, its column of B and k alone. So a row's result does not depend on the other rows, and an element can
/// be recomputed elsewhere with the same bits.
class Gemm {
 public:
  Gemm(Isa isa, ThreadPool& pool);
  ~Gemm();

  /// Work space of a Gemm, all of which it takes when it is made.
  static int64_t workspace_bytes(Isa isa, int threads);

  /// Spread over the pool.
  void multiply(const Factor& a, const Factor& b, const Epilogue& epilogue, Matrix c);
  /// On the calling thread alone, which is number `thread` of the pool: for use inside a task.
  void multiply_serial(const Factor& a, const Factor& b, const Epilogue& epilogue, Matrix c, int thread);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gru4rec::cpu
