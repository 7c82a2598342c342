#include <memory>
#include <mutex>
#include <new>

#include "backends/cuda/cuda_backend.h"
#include "backends/cuda/devices.h"
#include "backends/cuda/runtime.h"
#include "backends/cuda/text.h"
#include "backends/cuda_library/cuda_library.h"

/// The table of C functions that libgru4rec_cuda.so exports: the back end, without exceptions.
namespace gru4rec::cuda_library {

/// One call at a time: a model's tensors are read beside the jobs of its queue, and memory is freed from any thread.
struct Handle {
  int device;
  std::recursive_mutex mutex;  ///< a recording holds it once more from its beginning to its end
  std::unique_ptr<Backend> backend;
};

struct Recorded {
  std::unique_ptr<Recording> recording;
};

namespace {

void set_failed(Status* status, ErrorCode code, const char* message) {
  status->failed = true;
  status->code = code;
  set_text(message, status->message);
}

/// Runs `body` and turns what it throws into `status`.
template <class Body>
auto guarded(Status* status, const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Error& error) {
    set_failed(status, error.code(), error.what());
  } catch (const std::bad_alloc&) {
    set_failed(status, ErrorCode::out_of_memory, "Expected host memory but the system gave none");
  } catch (const std::exception& error) {
    set_failed(status, ErrorCode::device, error.what());
  }
  return decltype(body())();
}

/// As guarded, on the device of `handle`.
template <class Body>
auto on_device(Handle* handle, Status* status, const Body& body) {
  return guarded(status, [&] {
    cuda::check(cudaSetDevice(handle->device), "cudaSetDevice");
    return body(*handle->backend);
  });
}

/// As on_device, under the lock of `handle`.
template <class Body>
auto on_backend(Handle* handle, Status* status, const Body& body) {
  return guarded(status, [&] {
    const std::lock_guard<std::recursive_mutex> lock(handle->mutex);
    return on_device(handle, status, body);
  });
}

/// The operation kMethod as a function of the table.
template <auto kMethod, class Method = decltype(kMethod)>
struct Forward;
template <auto kMethod, class... Arguments>
struct Forward<kMethod, void (Backend::*)(Arguments...)> {
  static void call(Handle* handle, Status* status, Arguments... arguments) {
    on_backend(handle, status, [&](Backend& backend) { (backend.*kMethod)(arguments...); });
  }
};

/// No other thread's call may get into a recording.
void begin_recording(Handle* handle, Status* status) {
  on_backend(handle, status, [&](Backend& backend) {
    backend.begin_recording();
    handle->mutex.lock();
  });
}

Recorded* end_recording(Handle* handle, Status* status) {
  const std::lock_guard<std::recursive_mutex> lock(handle->mutex, std::adopt_lock);
  return on_backend(handle, status, [](Backend& backend) { return new Recorded{backend.end_recording()}; });
}

void abandon_recording(Handle* handle, Status* status) {
  const std::lock_guard<std::recursive_mutex> lock(handle->mutex, std::adopt_lock);
  on_backend(handle, status, [](Backend& backend) { backend.abandon_recording(); });
}

void replay(Handle* handle, Status* status, Recorded* recorded) {
  on_backend(handle, status, [&](Backend&) { recorded->recording->replay(); });
}

void destroy_recorded(Handle* handle, Recorded* recorded) {
  const std::lock_guard<std::recursive_mutex> lock(handle->mutex);
  cudaSetDevice(handle->device);
  delete recorded;
}

Handle* create(const Options* options, Status* status) {
  return guarded(status, [&]() -> Handle* {
    auto handle = std::make_unique<Handle>();
    handle->device = options->device;
    handle->backend =
        cuda::create_cuda_backend(options->device, options->cublas_path != nullptr ? options->cublas_path : "");
    return handle.release();
  });
}

void destroy(Handle* handle) {
  cudaSetDevice(handle->device);
  delete handle;
}

void description(Handle* handle, Text<512>* out) { set_text(handle->backend->description(), out->characters); }

void missing(Handle* handle, MissingText* out) {
  const Missing missing = handle->backend->missing();
  set_text(missing.problem, out->problem.characters);
  out->wanted = missing.wanted;
}

bool supports(Handle* handle, Precision precision) { return handle->backend->supports(precision); }

DeviceMemory memory(Handle* handle, Status* status) {
  return on_backend(handle, status, [](Backend& backend) { return backend.memory(); });
}

void* allocate(Handle* handle, Status* status, int64_t bytes) {
  return on_backend(handle, status, [&](Backend& backend) { return backend.allocate(bytes); });
}

/// Without the lock: it waits for as long as a chunk of steps takes, which other threads' calls need not, and touches
/// nothing but its place, whose read nobody else has.
void finish_read(Handle* handle, Status* status, int place, int64_t bytes, void* host) {
  on_device(handle, status, [&](Backend& backend) { backend.finish_read(place, bytes, host); });
}

Table make_table() {
  Table table;
  table.abi = kAbi;
  table.driver = driver;
  table.device = device;
  table.blas = blas;
  table.create = create;
  table.destroy = destroy;
  table.description = description;
  table.missing = missing;
  table.supports = supports;
  table.memory = memory;
  table.allocate = allocate;
#define GRU4REC_ENTRY(name) table.name = Forward<&Backend::name>::call;
  GRU4REC_CUDA_OPERATIONS(GRU4REC_ENTRY)
#undef GRU4REC_ENTRY
  table.finish_read = finish_read;
  table.begin_recording = begin_recording;
  table.end_recording = end_recording;
  table.abandon_recording = abandon_recording;
  table.replay = replay;
  table.destroy_recorded = destroy_recorded;
  return table;
}

}  // namespace

}  // namespace gru4rec::cuda_library

extern "C" __attribute__((visibility("default"))) const gru4rec::cuda_library::Table* gru4rec_cuda_library() {
  static const gru4rec::cuda_library::Table table = gru4rec::cuda_library::make_table();
  return &table;
}
