#include "emulator/graphs.h"

#include <algorithm>

#include "emulator/options.h"
#include "emulator/profile.h"
#include "emulator/report.h"

namespace gru4rec::emulator {

namespace {

std::vector<std::shared_ptr<CapturedGraph>>& captures() {
  static auto& captures = *new std::vector<std::shared_ptr<CapturedGraph>>;
  return captures;
}

/// Whether every node comes, over any number of edges, before one of `ends`.
bool all_lead_to(const std::vector<Node>& nodes, std::vector<size_t> ends) {
  std::vector<bool> seen(nodes.size(), false);
  size_t count = 0;
  while (!ends.empty()) {
    const size_t node = ends.back();
    ends.pop_back();
    if (seen[node]) continue;
    seen[node] = true;
    ++count;
    ends.insert(ends.end(), nodes[node].after.begin(), nodes[node].after.end());
  }
  return count == nodes.size();
}

}  // namespace

void begin_capture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  stream->capture = std::make_shared<CapturedGraph>();
  stream->capture->origin = stream;
  stream->capture->mode = mode;
  stream->capture->thread = std::this_thread::get_id();
  stream->frontier.clear();
  captures().push_back(stream->capture);
}

cudaError_t end_capture(cudaStream_t stream, std::vector<Node>* nodes) {
  const std::shared_ptr<CapturedGraph> capture = stream->capture;
  if (capture == nullptr || capture->origin != stream) return cudaErrorStreamCaptureUnmatched;
  if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id())
    return cudaErrorStreamCaptureWrongThread;
  const bool joined = all_lead_to(capture->nodes, stream->frontier);
  for (cudaStream_t other : all_streams()) {
    if (other->capture != capture) continue;
    other->capture = nullptr;
    other->frontier.clear();
  }
  captures().erase(std::find(captures().begin(), captures().end(), capture));
  if (capture->invalid) return cudaErrorStreamCaptureInvalidated;
  if (!joined) return cudaErrorStreamCaptureUnjoined;
  *nodes = std::move(capture->nodes);
  return cudaSuccess;
}

cudaError_t add_to_capture(cudaStream_t stream, Work work) {
  CapturedGraph& capture = *stream->capture;
  if (capture.invalid) return cudaErrorStreamCaptureInvalidated;
  capture.nodes.push_back({std::move(work), stream->frontier});
  stream->frontier = {capture.nodes.size() - 1};
  return cudaSuccess;
}

cudaError_t join_capture(cudaStream_t stream, cudaEvent_t event) {
  if (event->capture == nullptr) {  // work outside the capture cannot be an edge of the graph
    stream->capture->invalid = true;
    return cudaErrorStreamCaptureIsolation;
  }
  if (stream->capture != nullptr && stream->capture != event->capture) {
    stream->capture->invalid = event->capture->invalid = true;
    return cudaErrorStreamCaptureMerge;
  }
  if (std::find(captures().begin(), captures().end(), event->capture) == captures().end())
    return cudaErrorCapturedEvent;
  if (stream->capture == nullptr) {
    stream->capture = event->capture;
    stream->frontier.clear();
  }
  stream->frontier.insert(stream->frontier.end(), event->frontier.begin(), event->frontier.end());
  return cudaSuccess;
}

bool spoil_captures() {
  bool found = false;
  for (const auto& capture : captures()) {
    const bool own = capture->thread == std::this_thread::get_id();
    const bool forbids =
        capture->mode == cudaStreamCaptureModeGlobal || (capture->mode == cudaStreamCaptureModeThreadLocal && own);
    if (!forbids) continue;
    capture->invalid = true;
    found = true;
  }
  return found;
}

size_t longest_chain(const std::vector<Node>& nodes) {
  std::vector<size_t> lengths(nodes.size());  // of the chains that end with each
  size_t longest = 0;
  for (size_t i = 0; i < nodes.size(); ++i) {  // captured after the nodes that it waits for
    for (const size_t before : nodes[i].after) lengths[i] = std::max(lengths[i], lengths[before]);
    longest = std::max(longest, ++lengths[i]);
  }
  return longest;
}

Records run_graph(const std::vector<Node>& nodes, const Records& after) {
  static uint64_t launches = 0;
  ++launches;
  std::vector<size_t> missing(nodes.size());  // nodes that have to run before
  std::vector<std::vector<size_t>> followers(nodes.size());
  std::vector<Records> ran(nodes.size());
  std::vector<size_t> able;
  for (size_t i = 0; i < nodes.size(); ++i) {
    missing[i] = nodes[i].after.size();
    for (size_t before : nodes[i].after) followers[before].push_back(i);
    if (missing[i] == 0) able.push_back(i);
  }
  Records last = nodes.empty() ? after : Records{};
  while (!able.empty()) {
    std::swap(able[random_below(able.size())], able.back());
    const size_t node = able.back();
    able.pop_back();
    Records before = nodes[node].after.empty() ? after : Records{};
    for (const size_t one : nodes[node].after) before.insert(before.end(), ran[one].begin(), ran[one].end());
    ran[node] = run_work(nodes[node].work, before, launches);
    if (followers[node].empty()) last.insert(last.end(), ran[node].begin(), ran[node].end());
    for (size_t follower : followers[node])
      if (--missing[follower] == 0) able.push_back(follower);
  }
  return last;
}

}  // namespace gru4rec::emulator
