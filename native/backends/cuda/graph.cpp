#include "backends/cuda/graph.h"

#include <type_traits>

namespace gru4rec::cuda {

namespace {

/// An executable graph.
class GraphRecording final : public Recording {
 public:
  GraphRecording(cudaGraph_t graph, cudaStream_t stream) : stream_(stream) {
    GRU_CHECK(cudaGraphInstantiate(&executable_, graph, 0));
  }
  ~GraphRecording() override { cudaGraphExecDestroy(executable_); }
  GraphRecording(const GraphRecording&) = delete;
  GraphRecording& operator=(const GraphRecording&) = delete;

  void replay() override { GRU_CHECK(cudaGraphLaunch(executable_, stream_)); }

 private:
  cudaStream_t stream_;
  cudaGraphExec_t executable_ = nullptr;
};

}  // namespace

void begin_capture(cudaStream_t stream) {
  // Of this thread alone: in global mode another model's allocation would spoil it.
  GRU_CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
}

std::unique_ptr<Recording> end_capture(cudaStream_t stream) {
  cudaGraph_t graph = nullptr;
  GRU_CHECK(cudaStreamEndCapture(stream, &graph));
  const std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, cudaError_t (*)(cudaGraph_t)> owned(graph,
                                                                                                cudaGraphDestroy);
  return std::make_unique<GraphRecording>(graph, stream);
}

void abandon_capture(cudaStream_t stream) {
  cudaGraph_t graph = nullptr;
  cudaStreamEndCapture(stream, &graph);
  if (graph != nullptr) cudaGraphDestroy(graph);
  cudaGetLastError();
}

}  // namespace gru4rec::cuda
