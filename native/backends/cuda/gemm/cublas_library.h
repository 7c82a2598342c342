#pragma once

#include <cuda_runtime.h>

#include <functional>
#include <string>

/// cuBLAS is loaded at run time, with prototypes of our own: neither its headers nor the library are needed to build
/// this back end, and it works without (tiled_gemm.h).
namespace gru4rec::cuda {

struct CublasContext;  ///< behind a cublasHandle_t

/// A loaded cuBLAS: the functions of it that this back end calls, all of which return a cublasStatus_t. Enumerations
/// are ints with NVIDIA's values. It may be of an older CUDA than the runtime in this back end: both work in the
/// device's primary context, and a stream is an object of the driver, which serves either.
struct CublasLibrary {
  std::string path;  ///< of the file
  int version = 0;   ///< 130002 = 13.0.2

  int (*create)(CublasContext** handle) = nullptr;
  int (*destroy)(CublasContext* handle) = nullptr;
  int (*get_version)(CublasContext* handle, int* version) = nullptr;  ///< takes a null handle
  int (*set_stream)(CublasContext* handle, cudaStream_t stream) = nullptr;
  int (*set_workspace)(CublasContext* handle, void* workspace, size_t bytes) = nullptr;
  int (*set_math_mode)(CublasContext* handle, int mode) = nullptr;
  int (*gemm)(CublasContext* handle, int a_operation, int b_operation, int m, int n, int k, const void* alpha,
              const void* a, int a_type, int a_leading, const void* b, int b_type, int b_leading, const void* beta,
              void* c, int c_type, int c_leading, int compute_type, int algorithm) = nullptr;
};

/// What came of looking for cuBLAS.
struct CublasSearch {
  const CublasLibrary* library = nullptr;  ///< stays loaded as long as the process; null = there is none
  std::string problem;                     ///< why there is none: what was looked for where, and what to install
  bool wanted = true;                      ///< false = "none" was asked for
};

/// Says why a library that was loaded cannot be used on a device; empty = it can.
using CublasTrial = std::function<std::string(const CublasLibrary&)>;

/// @param path   a library, or "none" = do without; empty = what GRU4REC_CUBLAS says, else the first that is found and
///               can be used: by the system's loader, in the folders of CUDA toolkits, among the Python packages of
///               NVIDIA
/// @param trial  asked of every library that could be loaded, until one can be used
/// Throws ErrorCode::device when a library was named, here or in GRU4REC_CUBLAS, and cannot be used; else what `trial`
/// throws.
CublasSearch find_cublas(const std::string& path, const CublasTrial& trial);

/// Why a cuBLAS cannot be used on a GPU of this compute capability, 90 = 9.0: one from before a GPU has no code for it,
/// and would say so at the first product only. Empty = it can.
std::string too_old_for(const CublasLibrary& library, int capability);

/// "13.0.2"
std::string cublas_version_text(int version);

}  // namespace gru4rec::cuda
