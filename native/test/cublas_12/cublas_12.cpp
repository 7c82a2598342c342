#include <cstdlib>

/// A library with the names that the CUDA back end calls of cuBLAS, of version 12.3.4 or what CUBLAS_12_VERSION says;
/// they do nothing. Where CUBLAS_12_BROKEN is set, it makes no handles.
extern "C" {
int cublasCreate_v2() {
  constexpr int kSuccess = 0, kNotInitialized = 1;
  return std::getenv("CUBLAS_12_BROKEN") == nullptr ? kSuccess : kNotInitialized;
}
int cublasDestroy_v2() { return 0; }
int cublasGetVersion_v2(void*, int* version) {
  const char* said = std::getenv("CUBLAS_12_VERSION");
  *version = said == nullptr ? 120304 : std::atoi(said);
  return 0;
}
int cublasSetStream_v2() { return 0; }
int cublasSetWorkspace_v2() { return 0; }
int cublasSetMathMode() { return 0; }
int cublasGemmEx() { return 0; }
}
