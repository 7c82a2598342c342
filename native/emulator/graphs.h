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

/// Nodes of the longest chain in which each has to wait for the one before.
size_t longest_chain(const std::vector<Node>& nodes);

/// All nodes in a random order that their edges allow.
/// @param after  records that the graph comes after
/// Returns what comes after: the records of the nodes that no other one waits for.
Records run_graph(const std::vector<Node>& nodes, const Records& after);

}  // namespace gru4rec::emulator

struct cudaGraph_st {
  std::vector<gru4rec::emulator::Node> nodes;
};
struct cudaGraphExec_st {
  std::shared_ptr<const std::vector<gru4rec::emulator::Node>> nodes;
  size_t depth;  ///< nodes of its longest chain
};
