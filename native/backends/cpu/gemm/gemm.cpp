#include "backends/cpu/gemm/gemm.h"

#include <utility>

namespace gru4rec::cpu {

namespace {

/// Element [r, c] of the factor.
float element(const Factor& factor, int64_t r, int64_t c) {
  if (factor.transposed) std::swap(r, c);
  return factor.stored(factor.gathered != nullptr ? factor.gathered[r] : r, c);
}

void multiply_row(const Factor& a, const Factor& b, const Epilogue& epilogue, Matrix c, int64_t i) {
  for (int64_t j = 0; j < c.cols; ++j) {
    float sum = 0.0f;
    for (int64_t p = 0; p < a.cols(); ++p) sum += element(a, i, p) * element(b, p, j);
    if (epilogue.accumulate) sum += c(i, j);
    if (epilogue.column_add != nullptr) sum += epilogue.column_add[j];
    c(i, j) = sum;
  }
}

}  // namespace

struct Gemm::State {
  ThreadPool& pool;
};

Gemm::Gemm(Isa, ThreadPool& pool) : state_(new State{pool}) {}
Gemm::~Gemm() = default;

void Gemm::multiply(const Factor& a, const Factor& b, const Epilogue& epilogue, Matrix c) {
  state_->pool.run(c.rows, [&](int64_t i, int) { multiply_row(a, b, epilogue, c, i); });
}

void Gemm::multiply_serial(const Factor& a, const Factor& b, const Epilogue& epilogue, Matrix c, int) {
  for (int64_t i = 0; i < c.rows; ++i) multiply_row(a, b, epilogue, c, i);
}

}  // namespace gru4rec::cpu
