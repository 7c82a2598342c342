#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "emulator/api_call.h"
#include "emulator/counters.h"
#include "emulator/device_memory.h"
#include "emulator/graphs.h"
#include "emulator/launch.h"
#include "emulator/options.h"
#include "emulator/report.h"
#include "emulator/streams.h"
#include "emulator/traffic.h"

/// The functions of the CUDA runtime. Mistakes that a GPU reports by a code are reported by the same code; those that
/// it lets pass, or leaves to chance, end the process.
namespace gru4rec::emulator {

namespace {

constexpr int kRuntimeVersion = 13000;

struct ErrorText {
  cudaError_t error;
  const char* name;
  const char* text;
};
constexpr ErrorText kErrors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInvalidDevicePointer, "cudaErrorInvalidDevicePointer", "invalid device pointer"},
    {cudaErrorInvalidMemcpyDirection, "cudaErrorInvalidMemcpyDirection", "invalid copy direction for memcpy"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
     "no kernel image is available for execution on the device"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress", "an illegal memory access was encountered"},
    {cudaErrorLaunchOutOfResources, "cudaErrorLaunchOutOfResources", "too many resources requested for launch"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureMerge, "cudaErrorStreamCaptureMerge",
     "operation would result in a merge of separate capture sequences"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
     "capture was not ended in the same stream as it began"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined", "capturing stream has unjoined work"},
    {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation",
     "dependency created on uncaptured work in another stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
    {cudaErrorStreamCaptureWrongThread, "cudaErrorStreamCaptureWrongThread",
     "attempt to terminate a thread-local capture sequence from another thread"},
};

const ErrorText* find_text(cudaError_t error) {
  for (const ErrorText& text : kErrors)
    if (text.error == error) return &text;
  return nullptr;
}

/// A copy of `height` rows of `width` bytes.
struct Copy {
  char* to;
  size_t to_pitch;
  const char* from;
  size_t from_pitch;
  size_t width, height;
  cudaMemcpyKind kind;

  bool writes_device() const { return kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice; }
  bool reads_device() const { return kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice; }
  bool empty() const { return width == 0 || height == 0; }
  /// From the first byte to behind the last one.
  size_t reach(size_t pitch) const { return empty() ? 0 : (height - 1) * pitch + width; }
  HostRange host_source() const { return reads_device() ? HostRange{} : HostRange{from, reach(from_pitch)}; }
  /// Only where no bytes between the rows are touched.
  HostRange host_target() const {
    return writes_device() || (to_pitch != width && height > 1) ? HostRange{} : HostRange{to, reach(to_pitch)};
  }
};

void set_kind(Copy* copy) {
  if (copy->kind != cudaMemcpyDefault) return;
  if (is_device_memory(copy->to)) {
    copy->kind = is_device_memory(copy->from) ? cudaMemcpyDeviceToDevice : cudaMemcpyHostToDevice;
  } else {
    copy->kind = is_device_memory(copy->from) ? cudaMemcpyDeviceToHost : cudaMemcpyHostToHost;
  }
}

void check_copy(const Copy& copy, bool asynchronous) {
  if (copy.empty()) return;
  const size_t to = copy.reach(copy.to_pitch), from = copy.reach(copy.from_pitch);
  if (copy.writes_device() != is_device_memory(copy.to) || copy.reads_device() != is_device_memory(copy.from))
    fail("a copy of %zu x %zu bytes: its kind %d does not fit its pointers", copy.height, copy.width, copy.kind);
  if (copy.writes_device() && !is_device_range(copy.to, to))
    fail("a copy of %zu x %zu bytes writes outside a device allocation", copy.height, copy.width);
  if (copy.reads_device() && !is_device_range(copy.from, from))
    fail("a copy of %zu x %zu bytes reads outside a device allocation", copy.height, copy.width);
  if (!asynchronous) return;
  if ((!copy.writes_device() && !is_pinned_range(copy.to, to)) ||
      (!copy.reads_device() && !is_pinned_range(copy.from, from)))
    fail("an asynchronous copy of %zu x %zu bytes with host memory that is not pinned, or outside its allocation",
         copy.height, copy.width);
}

void run_copy(const Copy& copy) {
  for (size_t row = 0; row < copy.height && copy.width > 0; ++row) {
    std::memcpy(copy.to + row * copy.to_pitch, copy.from + row * copy.from_pitch, copy.width);
    count_read(copy.from + row * copy.from_pitch, copy.width);
    count_written(copy.to + row * copy.to_pitch, copy.width);
  }
  const uint64_t bytes = copy.width * copy.height;
  if (copy.kind == cudaMemcpyHostToDevice) counters().bytes_to_device += bytes;
  if (copy.kind == cudaMemcpyDeviceToHost) counters().bytes_to_host += bytes;
  if (copy.kind == cudaMemcpyDeviceToDevice) counters().bytes_on_device += bytes;
}

const char* name_of_copy(cudaMemcpyKind kind) {
  switch (kind) {
    case cudaMemcpyHostToDevice:
      return "copy to the device";
    case cudaMemcpyDeviceToHost:
      return "copy to the host";
    default:
      return "copy on the device";
  }
}

cudaError_t enqueue_copy(Copy copy, cudaStream_t stream) {
  check_stream(stream, "an asynchronous copy");
  if (copy.height > 1 && (copy.to_pitch < copy.width || copy.from_pitch < copy.width))
    return record(cudaErrorInvalidValue);
  set_kind(&copy);
  check_copy(copy, true);
  ++counters().copies;
  Work work;
  work.reads = copy.host_source();
  work.writes = copy.host_target();
  work.what = {WorkKind::copy, name_of_copy(copy.kind)};
  work.run = [copy] {
    check_copy(copy, true);  // once more: memory may have been freed before a graph runs
    run_copy(copy);
  };
  return record(enqueue(stream, std::move(work)));
}

cudaError_t enqueue_fill(char* memory, size_t pitch, int value, size_t width, size_t height, cudaStream_t stream) {
  check_stream(stream, "cudaMemsetAsync");
  if (height > 1 && pitch < width) return record(cudaErrorInvalidValue);
  const auto check = [=] {
    if (width > 0 && height > 0 && !is_device_range(memory, (height - 1) * pitch + width))
      fail("cudaMemsetAsync of %zu x %zu bytes writes outside a device allocation", height, width);
  };
  check();
  Work work;
  work.run = [=] {
    check();
    for (size_t row = 0; row < height && width > 0; ++row) {
      std::memset(memory + row * pitch, value, width);
      count_written(memory + row * pitch, width);
    }
  };
  work.what = {WorkKind::fill, "fill"};
  return record(enqueue(stream, std::move(work)));
}

void check_event(cudaEvent_t event, const char* call) {
  if (event == nullptr) fail("%s: a null event", call);
}

void fill_properties(cudaDeviceProp* properties, int device) {
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "Emulated GPU %d", device);
  properties->totalGlobalMem = static_cast<size_t>(options().memory_bytes);
  properties->sharedMemPerBlock = kSharedWithoutAsking;
  properties->sharedMemPerBlockOptin = static_cast<size_t>(options().shared_bytes);
  properties->sharedMemPerMultiprocessor = properties->sharedMemPerBlockOptin + 1024;
  properties->regsPerBlock = 65536;
  properties->warpSize = warpSize;
  properties->maxThreadsPerBlock = 1024;
  properties->maxThreadsPerMultiProcessor = 1536;
  const int most_threads[] = {1024, 1024, 64}, most_blocks[] = {2147483647, 65535, 65535};
  std::copy_n(most_threads, 3, properties->maxThreadsDim);
  std::copy_n(most_blocks, 3, properties->maxGridSize);
  properties->major = options().capability / 10;
  properties->minor = options().capability % 10;
  properties->multiProcessorCount = options().multiprocessors;
  properties->l2CacheSize = static_cast<int>(options().cache_bytes);
  properties->memoryBusWidth = 256;
}

}  // namespace

}  // namespace gru4rec::emulator

using namespace gru4rec::emulator;

/// The start of most calls.
#define GRU_EMULATED_CALL(capture) \
  const ApiCall call(capture);     \
  if (call.refused() != cudaSuccess) return call.refused()

extern "C" {

const char* cudaGetErrorName(cudaError_t error) {
  const ErrorText* text = find_text(error);
  return text != nullptr ? text->name : "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  const ErrorText* text = find_text(error);
  return text != nullptr ? text->text : "unrecognized error code";
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = options().driver_version;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kRuntimeVersion;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  GRU_EMULATED_CALL(Capture::allowed);
  *count = options().devices;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  GRU_EMULATED_CALL(Capture::allowed);
  if (device < 0 || device >= options().devices) return record(cudaErrorInvalidDevice);
  fill_properties(properties, device);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  cudaDeviceProp properties;
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, device); error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = properties.maxThreadsPerBlock;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(properties.sharedMemPerBlock);
      break;
    case cudaDevAttrWarpSize:
      *value = properties.warpSize;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = properties.multiProcessorCount;
      break;
    case cudaDevAttrL2CacheSize:
      *value = properties.l2CacheSize;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = properties.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = properties.minor;
      break;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
      *value = static_cast<int>(properties.sharedMemPerMultiprocessor);
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(properties.sharedMemPerBlockOptin);
      break;
    default:
      return cudaErrorInvalidValue;
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  GRU_EMULATED_CALL(Capture::forbidden);
  ++counters().synchronisations;
  finish_device(current_device());
  return cudaSuccess;
}

// Memory.

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  GRU_EMULATED_CALL(Capture::forbidden);
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (should_fail_allocation()) return record(cudaErrorMemoryAllocation);
  *memory = allocate_device_memory(bytes, current_device());
  if (*memory == nullptr) return record(cudaErrorMemoryAllocation);
  ++counters().allocations;
  ++counters().live_objects;
  counters().live_bytes += bytes;
  counters().peak_bytes = std::max(counters().peak_bytes, counters().live_bytes);
  return cudaSuccess;
}

/// Waits for the device, as the real one does.
cudaError_t cudaFree(void* memory) {
  const ApiCall call(Capture::forbidden);
  if (memory == nullptr) return call.refused();
  if (call.refused() == cudaSuccess) {
    finish_device(current_device());
    const DeviceAccess access;
    check_zones("some kernel");
  } else if (call.refused() != cudaErrorIllegalAddress) {
    return call.refused();
  }
  counters().live_bytes -= free_device_memory(memory);
  --counters().live_objects;
  return call.refused();
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  GRU_EMULATED_CALL(Capture::forbidden);
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (!should_fail_allocation()) *memory = allocate_pinned(bytes);
  if (*memory == nullptr) return record(cudaErrorMemoryAllocation);
  ++counters().allocations;
  ++counters().live_objects;
  counters().live_pinned_bytes += bytes;
  return cudaSuccess;
}

/// Waits for the device, as the real one does.
cudaError_t cudaFreeHost(void* memory) {
  const ApiCall call(Capture::forbidden);
  if (memory == nullptr) return call.refused();
  if (call.refused() == cudaSuccess) {
    finish_device(current_device());
  } else if (call.refused() != cudaErrorIllegalAddress) {
    return call.refused();
  }
  counters().live_pinned_bytes -= free_pinned(memory);
  --counters().live_objects;
  return call.refused();
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  GRU_EMULATED_CALL(Capture::allowed);
  *total = static_cast<size_t>(options().memory_bytes);
  *free = *total - used_device_memory(current_device());
  return cudaSuccess;
}

/// Does not wait for streams that do not wait for the default stream.
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  GRU_EMULATED_CALL(Capture::forbidden);
  Copy copy{static_cast<char*>(to), bytes, static_cast<const char*>(from), bytes, bytes, 1, kind};
  set_kind(&copy);
  check_copy(copy, false);
  ++counters().copies;
  ++counters().synchronisations;
  const DeviceAccess access;
  run_copy(copy);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  GRU_EMULATED_CALL(Capture::allowed);
  return enqueue_copy({static_cast<char*>(to), bytes, static_cast<const char*>(from), bytes, bytes, 1, kind}, stream);
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  GRU_EMULATED_CALL(Capture::allowed);
  return enqueue_copy(
      {static_cast<char*>(to), to_pitch, static_cast<const char*>(from), from_pitch, width, height, kind}, stream);
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  GRU_EMULATED_CALL(Capture::allowed);
  return enqueue_fill(static_cast<char*>(memory), bytes, value, bytes, 1, stream);
}

cudaError_t cudaMemset2DAsync(void* memory, size_t pitch, int value, size_t width, size_t height, cudaStream_t stream) {
  GRU_EMULATED_CALL(Capture::allowed);
  return enqueue_fill(static_cast<char*>(memory), pitch, value, width, height, stream);
}

// Streams and events. What is destroyed is given back even when the device is broken.

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  GRU_EMULATED_CALL(Capture::allowed);
  if (flags != cudaStreamNonBlocking) fail("a stream that waits for the default stream, which no code of ours uses");
  *stream = make_stream(current_device());
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const ApiCall call;
  check_stream(stream, "cudaStreamDestroy");
  destroy_stream(stream);
  return call.refused();
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  GRU_EMULATED_CALL(Capture::forbidden);
  check_stream(stream, "cudaStreamSynchronize");
  ++counters().synchronisations;
  finish(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  GRU_EMULATED_CALL(Capture::forbidden);
  check_stream(stream, "cudaStreamQuery");
  if (!stream->queue.empty()) let_one_step_run();
  return stream->queue.empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  GRU_EMULATED_CALL(Capture::allowed);
  check_stream(stream, "cudaStreamWaitEvent");
  check_event(event, "cudaStreamWaitEvent");
  return record(wait_for_event(stream, event));
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  GRU_EMULATED_CALL(Capture::allowed);
  if ((flags & ~cudaEventBlockingSync) != cudaEventDisableTiming)
    fail("an event with timing, which is slower and not emulated");
  *event = new cudaEvent_st{current_device(), nullptr, nullptr, {}};
  ++counters().live_objects;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const ApiCall call;
  check_event(event, "cudaEventDestroy");
  delete event;
  --counters().live_objects;
  return call.refused();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  GRU_EMULATED_CALL(Capture::allowed);
  check_stream(stream, "cudaEventRecord");
  check_event(event, "cudaEventRecord");
  if (event->device != stream->device) return record(cudaErrorInvalidResourceHandle);
  record_event(event, stream);
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  GRU_EMULATED_CALL(Capture::forbidden);
  check_event(event, "cudaEventSynchronize");
  if (event->capture != nullptr) return record(cudaErrorCapturedEvent);
  ++counters().synchronisations;
  finish(event);
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  GRU_EMULATED_CALL(Capture::forbidden);
  check_event(event, "cudaEventQuery");
  if (event->capture != nullptr) return record(cudaErrorCapturedEvent);
  const auto reached = [&] { return event->mark == nullptr || event->mark->reached; };
  if (!reached()) let_one_step_run();
  return reached() ? cudaSuccess : cudaErrorNotReady;
}

// Graphs.

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  GRU_EMULATED_CALL(Capture::allowed);
  check_stream(stream, "cudaStreamBeginCapture");
  if (stream->capture != nullptr) return record(cudaErrorStreamCaptureUnsupported);
  begin_capture(stream, mode);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  GRU_EMULATED_CALL(Capture::allowed);
  check_stream(stream, "cudaStreamEndCapture");
  *graph = nullptr;
  std::vector<Node> nodes;
  if (const cudaError_t error = end_capture(stream, &nodes); error != cudaSuccess) return record(error);
  *graph = new cudaGraph_st{std::move(nodes)};
  ++counters().live_objects;
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  GRU_EMULATED_CALL(Capture::allowed);
  check_stream(stream, "cudaStreamIsCapturing");
  *status = stream->capture == nullptr ? cudaStreamCaptureStatusNone
            : stream->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                       : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  GRU_EMULATED_CALL(Capture::forbidden);
  if (graph == nullptr) return record(cudaErrorInvalidValue);
  *executable =
      new cudaGraphExec_st{std::make_shared<const std::vector<Node>>(graph->nodes), longest_chain(graph->nodes)};
  ++counters().live_objects;
  return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t stream) {
  GRU_EMULATED_CALL(Capture::allowed);
  check_stream(stream, "cudaGraphUpload");
  return executable == nullptr ? record(cudaErrorInvalidValue) : cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  GRU_EMULATED_CALL(Capture::allowed);
  check_stream(stream, "cudaGraphLaunch");
  if (executable == nullptr) return record(cudaErrorInvalidValue);
  if (stream->capture != nullptr) fail("a graph that is launched into a capture is not emulated");
  if (stream->device != current_device()) return record(cudaErrorInvalidResourceHandle);
  if (should_fail_launch()) {
    break_device();
    return cudaSuccess;
  }
  ++counters().graph_launches;
  counters().graph_nodes = executable->nodes->size();
  counters().graph_depth = executable->depth;
  for (const Node& node : *executable->nodes) spoil(node.work.writes);
  Work work;
  work.graph = executable->nodes;
  return record(enqueue(stream, std::move(work)));
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  GRU_EMULATED_CALL(Capture::allowed);
  if (graph == nullptr) return record(cudaErrorInvalidValue);
  if (nodes != nullptr) fail("cudaGraphGetNodes gives the number of nodes only");
  *count = graph->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const ApiCall call;
  if (graph == nullptr) return record(cudaErrorInvalidValue);
  delete graph;
  --counters().live_objects;
  return call.refused();
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  const ApiCall call;
  if (executable == nullptr) return record(cudaErrorInvalidValue);
  delete executable;
  --counters().live_objects;
  return call.refused();
}

}  // extern "C"
