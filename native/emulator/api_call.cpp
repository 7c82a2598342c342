#include "emulator/api_call.h"

#include <mutex>

#include "emulator/graphs.h"
#include "emulator/options.h"
#include "emulator/streams.h"

namespace gru4rec::emulator {

namespace {

constexpr int kOldestDriver = 13000;

std::mutex mutex;  ///< held during every call
bool broken = false;
thread_local int device_of_thread = 0;
thread_local cudaError_t last_error = cudaSuccess;

cudaError_t reason_to_refuse(Capture capture) {
  if (broken) return cudaErrorIllegalAddress;
  if (const cudaError_t error = missing_device(); error != cudaSuccess) return record(error);
  if (capture == Capture::forbidden && spoil_captures()) return record(cudaErrorStreamCaptureUnsupported);
  return cudaSuccess;
}

}  // namespace

ApiCall::ApiCall(Capture capture) {
  mutex.lock();
  refused_ = reason_to_refuse(capture);
}

ApiCall::~ApiCall() { mutex.unlock(); }

cudaError_t record(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t missing_device() {
  if (options().driver_version < kOldestDriver) return cudaErrorInsufficientDriver;
  return options().devices == 0 ? cudaErrorNoDevice : cudaSuccess;
}

int current_device() { return device_of_thread; }

void break_device() {
  broken = true;
  drop_queues();
}

void mend_device() { broken = false; }

}  // namespace gru4rec::emulator

using namespace gru4rec::emulator;

extern "C" {

cudaError_t cudaGetLastError() {
  const cudaError_t error = cudaPeekAtLastError();
  last_error = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() {
  const std::lock_guard<std::mutex> lock(mutex);
  return broken ? cudaErrorIllegalAddress : last_error;
}

cudaError_t cudaSetDevice(int device) {
  const ApiCall call;
  if (call.refused() != cudaSuccess) return call.refused();
  if (device < 0 || device >= options().devices) return record(cudaErrorInvalidDevice);
  device_of_thread = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  const ApiCall call;
  if (call.refused() != cudaSuccess) return call.refused();
  *device = device_of_thread;
  return cudaSuccess;
}

}  // extern "C"
