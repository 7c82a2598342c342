/// A library with the names that the CUDA back end calls of cuBLAS, of version 12.3.4; they do nothing.
extern "C" {
int cublasCreate_v2() { return 0; }
int cublasDestroy_v2() { return 0; }
int cublasGetVersion_v2(void*, int* version) {
  *version = 120304;
  return 0;
}
int cublasSetStream_v2() { return 0; }
int cublasSetWorkspace_v2() { return 0; }
int cublasSetMathMode() { return 0; }
int cublasGemmEx() { return 0; }
}
