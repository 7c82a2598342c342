#pragma once

#include <cuda_runtime.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gru4rec::emulator {

struct HostRange {
  const void* first = nullptr;
  size_t bytes = 0;
};

enum class WorkKind { kernel, product, copy, fill };

/// What a profile says of a piece of work.
struct Description {
  WorkKind kind;
  std::string name;
  uint64_t blocks = 0;         ///< of a kernel
  unsigned threads = 0;        ///< of a block
  double flops = 0.0;          ///< of a product; the arithmetic of kernels is not counted
  const char* precision = "";  ///< to which a product rounds its operands
};

struct Node;

/// Something that a stream or a graph does.
struct Work {
  std::function<void()> run;
  HostRange reads, writes;  ///< pinned memory
  Description what{};
  std::shared_ptr<const std::vector<Node>> graph;  ///< of a launched graph, instead of `run`
};

/// Numbers of what a profile has recorded.
using Records = std::vector<size_t>;

/// Set when the work before it has run.
struct Mark {
  bool reached = false;
  Records ran;  ///< what whoever waits for it comes after
};

/// One entry of a stream: work, or waiting for a mark, or reaching one.
struct Entry {
  Work work;
  std::shared_ptr<Mark> waits_for, reaches;
};

struct CapturedGraph;

}  // namespace gru4rec::emulator

struct cudaStream_st {
  int device;
  std::deque<gru4rec::emulator::Entry> queue;
  std::shared_ptr<gru4rec::emulator::CapturedGraph> capture;  ///< null outside a capture
  std::vector<size_t> frontier;                               ///< nodes that the next captured one comes after
  gru4rec::emulator::Records ran;                             ///< what the next work that runs comes after
};

struct cudaEvent_st {
  int device;
  std::shared_ptr<gru4rec::emulator::Mark> mark;  ///< of the last record outside a capture
  std::shared_ptr<gru4rec::emulator::CapturedGraph> capture;
  std::vector<size_t> frontier;
};

namespace gru4rec::emulator {

cudaStream_t make_stream(int device);
/// Runs what is left in it first.
void destroy_stream(cudaStream_t stream);
/// Ends the process for the default stream and for one that was destroyed.
void check_stream(cudaStream_t stream, const char* call);

/// Appends work to a stream, or to the graph into which it is captured.
cudaError_t enqueue(cudaStream_t stream, Work work);
void record_event(cudaEvent_t event, cudaStream_t stream);
cudaError_t wait_for_event(cudaStream_t stream, cudaEvent_t event);

/// Runs a stream to its end, and of other streams what it waits for.
void finish(cudaStream_t stream);
/// As finish, up to the last record of the event.
void finish(cudaEvent_t event);
/// Runs all streams of a device to their end.
void finish_device(int device);
/// After a call: runs what the order of streams wants to run by itself.
void let_streams_run();
/// One step of anything, so that those who poll get on.
void let_one_step_run();
/// Forgets all that was enqueued.
void drop_queues();

/// Fills the target of a copy that has not run: reading it too early must not look right by luck.
void spoil(HostRange target);

const std::vector<cudaStream_t>& all_streams();

}  // namespace gru4rec::emulator
