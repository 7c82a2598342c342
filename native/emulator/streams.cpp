#include "emulator/streams.h"

#include <algorithm>
#include <cstring>

#include "emulator/api_call.h"
#include "emulator/counters.h"
#include "emulator/device_memory.h"
#include "emulator/graphs.h"
#include "emulator/options.h"
#include "emulator/profile.h"
#include "emulator/report.h"

namespace gru4rec::emulator {

namespace {

constexpr unsigned char kSpoiled = 0xA5;

std::vector<cudaStream_t>& streams() {
  static auto& streams = *new std::vector<cudaStream_t>;
  return streams;
}

bool can_run(cudaStream_t stream) {
  return !stream->queue.empty() &&
         (stream->queue.front().waits_for == nullptr || stream->queue.front().waits_for->reached);
}

void step(cudaStream_t stream) {
  const Entry entry = std::move(stream->queue.front());
  stream->queue.pop_front();
  if (entry.waits_for != nullptr) {
    const Records& others = entry.waits_for->ran;
    stream->ran.insert(stream->ran.end(), others.begin(), others.end());
  } else if (entry.reaches != nullptr) {
    entry.reaches->ran = stream->ran;
    entry.reaches->reached = true;
  } else {
    const DeviceAccess access;
    stream->ran =
        entry.work.graph != nullptr ? run_graph(*entry.work.graph, stream->ran) : run_work(entry.work, stream->ran);
  }
}

cudaStream_t stream_that_reaches(const std::shared_ptr<Mark>& mark) {
  for (cudaStream_t stream : streams())
    for (const Entry& entry : stream->queue)
      if (entry.reaches == mark) return stream;
  fail("a stream or the host waits for an event that nothing will record");
}

/// Runs the next entry of a stream; where that waits for another stream, the next one there.
void advance(cudaStream_t stream) {
  while (!can_run(stream)) stream = stream_that_reaches(stream->queue.front().waits_for);
  step(stream);
}

/// Runs a step of a random stream that can run; false where none can.
bool step_any() {
  std::vector<cudaStream_t> able;
  for (cudaStream_t stream : streams())
    if (can_run(stream)) able.push_back(stream);
  if (able.empty()) return false;
  step(able[random_below(able.size())]);
  return true;
}

bool overlap(HostRange a, HostRange b) {
  const char *first_a = static_cast<const char*>(a.first), *first_b = static_cast<const char*>(b.first);
  return a.bytes > 0 && b.bytes > 0 && first_a < first_b + b.bytes && first_b < first_a + a.bytes;
}

}  // namespace

const std::vector<cudaStream_t>& all_streams() { return streams(); }

cudaStream_t make_stream(int device) {
  const auto stream = new cudaStream_st{device, {}, nullptr, {}, {}};
  streams().push_back(stream);
  ++counters().live_objects;
  return stream;
}

void destroy_stream(cudaStream_t stream) {
  finish(stream);
  streams().erase(std::find(streams().begin(), streams().end(), stream));
  delete stream;
  --counters().live_objects;
}

void check_stream(cudaStream_t stream, const char* call) {
  if (stream == nullptr) fail("%s: the default stream, which no code of ours uses", call);
  if (std::find(streams().begin(), streams().end(), stream) == streams().end())
    fail("%s: a stream that was destroyed", call);
}

void spoil(HostRange target) {
  if (target.bytes == 0) return;
  // Earlier work may still have to read what is there.
  for (cudaStream_t stream : streams())
    for (const Entry& entry : stream->queue)
      if (overlap(entry.work.reads, target)) return;
  std::memset(const_cast<void*>(target.first), kSpoiled, target.bytes);
}

cudaError_t enqueue(cudaStream_t stream, Work work) {
  if (stream->capture != nullptr) return add_to_capture(stream, std::move(work));
  spoil(work.writes);
  stream->queue.push_back({std::move(work), nullptr, nullptr});
  let_streams_run();
  return cudaSuccess;
}

void record_event(cudaEvent_t event, cudaStream_t stream) {
  event->capture = stream->capture;
  event->frontier = stream->frontier;
  if (stream->capture != nullptr) return;
  event->mark = std::make_shared<Mark>();
  stream->queue.push_back({{}, nullptr, event->mark});
  let_streams_run();
}

cudaError_t wait_for_event(cudaStream_t stream, cudaEvent_t event) {
  if (event->capture != nullptr || stream->capture != nullptr) return join_capture(stream, event);
  if (event->mark != nullptr) {
    stream->queue.push_back({{}, event->mark, nullptr});
    let_streams_run();
  }
  return cudaSuccess;
}

void finish(cudaStream_t stream) {
  if (stream->queue.empty()) return;
  const DeviceAccess access;
  while (!stream->queue.empty()) advance(stream);
}

void finish(cudaEvent_t event) {
  if (event->mark == nullptr || event->mark->reached) return;
  const DeviceAccess access;
  while (!event->mark->reached) advance(stream_that_reaches(event->mark));
}

void finish_device(int device) {
  const DeviceAccess access;
  for (;;) {
    std::vector<cudaStream_t> busy;
    for (cudaStream_t stream : streams())
      if (stream->device == device && !stream->queue.empty()) busy.push_back(stream);
    if (busy.empty()) return;
    advance(busy[random_below(busy.size())]);
  }
}

void let_streams_run() {
  if (options().streams == StreamOrder::lazy) return;
  const DeviceAccess access;
  uint64_t steps = options().streams == StreamOrder::eager ? UINT64_MAX : random_below(4);
  while (steps > 0 && step_any()) --steps;
}

void let_one_step_run() { step_any(); }

void drop_queues() {
  for (cudaStream_t stream : streams()) {
    for (const Entry& entry : stream->queue)
      if (entry.reaches != nullptr) entry.reaches->reached = true;
    stream->queue.clear();
  }
}

}  // namespace gru4rec::emulator
