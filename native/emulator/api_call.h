#pragma once

#include <cuda_runtime.h>

namespace gru4rec::emulator {

/// Where in a call of the CUDA runtime it may be refused.
enum class Capture {
  allowed,   ///< while a stream is captured
  forbidden  ///< then, as it would wait or allocate; it spoils the capture
};

/// One call of the CUDA runtime or of cuBLAS. Only one runs at a time, whatever threads call.
class ApiCall {
 public:
  explicit ApiCall(Capture capture = Capture::allowed);
  ~ApiCall();
  ApiCall(const ApiCall&) = delete;
  ApiCall& operator=(const ApiCall&) = delete;

  /// Why the call cannot be made at all, or cudaSuccess: no device, a broken device, a capture in progress.
  cudaError_t refused() const { return refused_; }

 private:
  cudaError_t refused_;
};

/// Remembers an error of this thread for cudaGetLastError, and returns it.
cudaError_t record(cudaError_t error);
/// No device, or a driver that is too old.
cudaError_t missing_device();
/// The device of the calling thread.
int current_device();

/// From now on every call returns cudaErrorIllegalAddress; and the end of that.
void break_device();
void mend_device();

}  // namespace gru4rec::emulator
