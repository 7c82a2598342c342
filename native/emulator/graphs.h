#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "emulator/streams.h"

namespace gru4rec::emulator {

struct Node {
  Work work;
  std::vector<size_t> after;  ///< nodes that run before it
};

/// A capture in progress, over all streams that take part.
struct CapturedGraph {
  cudaStream_t origin;
  cudaStreamCaptureMode mode;
  std::thread::id thread;
  bool invalid = false;
  std::vector<Node> nodes;
};

void begin_capture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t end_capture(cudaStream_t stream, std::vector<Node>* nodes);
cudaError_t add_to_capture(cudaStream_t stream, Work work);
/// cudaStreamWaitEvent where the stream, the event or both are in a capture.
cudaError_t join_capture(cudaStream_t stream, cudaEvent_t event);
/// Spoils the captures in progress that forbid the calling thread a call that waits or allocates. True where there are
/// any.
bool spoil_captures();

/// All nodes in a random order that their edges allow.
void run_graph(const std::vector<Node>& nodes);

}  // namespace gru4rec::emulator

struct cudaGraph_st {
  std::vector<gru4rec::emulator::Node> nodes;
};
struct cudaGraphExec_st {
  std::shared_ptr<const std::vector<gru4rec::emulator::Node>> nodes;
};
