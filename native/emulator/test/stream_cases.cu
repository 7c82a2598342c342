#include <thread>

#include "emulator/emulator.h"
#include "emulator/test/cases.h"

namespace gru4rec::emulator::test {

__global__ void set(float* out, float value) { out[threadIdx.x] = value; }
__global__ void add(float* out, float value) { out[threadIdx.x] += value; }

constexpr size_t kBytes = 64 * sizeof(float);

CASE(read_before_the_copy_is_done) {
  float *values = on_device<float>(64), *out = pinned<float>(64);
  launch(set, 1, 64, values, 1.0f);
  expect_success(cudaMemcpyAsync(out, values, kBytes, cudaMemcpyDeviceToHost, stream()));
  expect_result(out[0] == 1.0f);
}
CASE(copy_does_not_wait_for_stream) {
  float* values = on_device<float>(64);
  std::vector<float> out(64);
  launch(set, 1, 64, values, 1.0f);
  expect_success(cudaMemcpy(out.data(), values, kBytes, cudaMemcpyDeviceToHost));
  expect_result(out[0] == 1.0f);
}
CASE(staging_reused) {
  int *values = on_device<int>(2), *staging = pinned<int>(1);
  for (int i = 0; i < 2; ++i) {
    staging[0] = i;
    expect_success(cudaMemcpyAsync(values + i, staging, sizeof(int), cudaMemcpyHostToDevice, stream()));
  }
  expect_result(on_host(values, 2) == std::vector<int>({0, 1}));
}
/// Legal: the stream reads the buffer before it writes there.
CASE(buffer_read_then_written) {
  int *values = on_device<int>(1), *zero = on_device(std::vector<int>(1)), *buffer = pinned<int>(1);
  buffer[0] = 7;
  expect_success(cudaMemcpyAsync(values, buffer, sizeof(int), cudaMemcpyHostToDevice, stream()));
  expect_success(cudaMemcpyAsync(buffer, zero, sizeof(int), cudaMemcpyDeviceToHost, stream()));
  expect_result(on_host(values, 1)[0] == 7 && buffer[0] == 0);
}
CASE(missing_event) {
  cudaStream_t other = make_stream();
  float *values = on_device<float>(64), *out = pinned<float>(64);
  launch(set, 1, 64, values, 1.0f);
  expect_success(cudaMemcpyAsync(out, values, kBytes, cudaMemcpyDeviceToHost, other));
  expect_success(cudaStreamSynchronize(other));
  expect_result(out[0] == 1.0f);
}
CASE(event_between_streams) {
  cudaStream_t other = make_stream();
  cudaEvent_t event = make_event();
  float *values = on_device<float>(64), *out = pinned<float>(64);
  launch(set, 1, 64, values, 1.0f);
  expect_success(cudaEventRecord(event, stream()));
  expect_success(cudaStreamWaitEvent(other, event));
  expect_success(cudaMemcpyAsync(out, values, kBytes, cudaMemcpyDeviceToHost, other));
  expect_success(cudaStreamSynchronize(other));
  expect_result(out[0] == 1.0f);
}
CASE(event_is_waited_for) {
  cudaEvent_t event = make_event();
  expect_success(cudaEventSynchronize(event));
  float *values = on_device<float>(64), *out = pinned<float>(64);
  launch(set, 1, 64, values, 1.0f);
  expect_success(cudaMemcpyAsync(out, values, kBytes, cudaMemcpyDeviceToHost, stream()));
  expect_success(cudaEventRecord(event, stream()));
  expect_success(cudaEventSynchronize(event));
  expect_result(out[0] == 1.0f);
}
CASE(polling_gets_on) {
  launch(set, 1, 64, on_device<float>(64), 1.0f);
  cudaEvent_t event = make_event();
  expect_success(cudaEventRecord(event, stream()));
  cudaError_t answer = cudaEventQuery(event);
  for (int i = 0; i < 100 && answer == cudaErrorNotReady; ++i) answer = cudaEventQuery(event);
  expect_success(answer);
  expect_success(cudaStreamQuery(stream()));
}
CASE(pageable_memory) {
  std::vector<float> values(64, 1.0f);
  expect_success(cudaMemcpyAsync(on_device<float>(64), values.data(), kBytes, cudaMemcpyHostToDevice, stream()));
}
CASE(blocking_stream) {
  cudaStream_t made = nullptr;
  expect_success(cudaStreamCreateWithFlags(&made, 0));
}
CASE(destroyed_stream) {
  cudaStream_t other = make_stream();
  expect_success(cudaStreamDestroy(other));
  launch_on(other, set, 1, 64, 0, on_device<float>(64), 1.0f);
}

// Graphs.

void begin() { expect_success(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeGlobal)); }
cudaGraph_t end() {
  cudaGraph_t graph = nullptr;
  expect_success(cudaStreamEndCapture(stream(), &graph));
  return graph;
}
cudaGraphExec_t instantiate(cudaGraph_t graph) {
  cudaGraphExec_t executable = nullptr;
  expect_success(cudaGraphInstantiate(&executable, graph));
  return executable;
}

CASE(allocation_in_capture) {
  begin();
  on_device<float>(4);
}
CASE(synchronisation_in_capture) {
  begin();
  expect_success(cudaStreamSynchronize(stream()));
}
CASE(ignored_error_in_capture) {
  stream();
  begin();
  static_cast<void>(cudaDeviceSynchronize());
  end();
}
CASE(fork_without_join) {
  cudaStream_t other = make_stream();
  cudaEvent_t event = make_event();
  float* values = on_device<float>(64);
  begin();
  expect_success(cudaEventRecord(event, stream()));
  expect_success(cudaStreamWaitEvent(other, event));
  launch_on(other, set, 1, 64, 0, values, 1.0f);
  end();
}
CASE(event_from_outside_the_capture) {
  cudaEvent_t event = make_event();
  expect_success(cudaEventRecord(event, make_stream()));
  begin();
  expect_success(cudaStreamWaitEvent(stream(), event));
}

/// Two branches; both write the same memory where `bug`.
void run_branches(bool bug) {
  cudaStream_t other = make_stream();
  cudaEvent_t fork = make_event(), join = make_event();
  float *values = on_device(std::vector<float>(64)), *more = bug ? values : on_device(std::vector<float>(64));
  begin();
  expect_success(cudaEventRecord(fork, stream()));
  expect_success(cudaStreamWaitEvent(other, fork));
  launch_on(other, set, 1, 64, 0, more, 1.0f);
  launch(set, 1, 64, values, 2.0f);
  expect_success(cudaEventRecord(join, other));
  expect_success(cudaStreamWaitEvent(stream(), join));
  launch(add, 1, 64, values, 3.0f);
  cudaGraph_t graph = end();
  size_t nodes = 0;
  expect_success(cudaGraphGetNodes(graph, nullptr, &nodes));
  expect_result(nodes == 3);
  cudaGraphExec_t executable = instantiate(graph);
  expect_success(cudaGraphDestroy(graph));
  expect_success(cudaGraphUpload(executable, stream()));
  for (int i = 0; i < 16; ++i) {
    expect_success(cudaGraphLaunch(executable, stream()));
    expect_result(on_host(values, 1)[0] == 5.0f);
  }
  expect_success(cudaGraphExecDestroy(executable));
}
CASE(missing_edge) { run_branches(true); }
CASE(branches) { run_branches(false); }

/// first -> (left, right) -> last
CASE(diamond) {
  cudaStream_t other = make_stream();
  cudaEvent_t fork = make_event(), join = make_event();
  float *values = on_device<float>(64), *more = on_device<float>(64);
  stream();
  begin();
  launch(set, 1, 64, values, 1.0f);
  expect_success(cudaEventRecord(fork, stream()));
  expect_success(cudaStreamWaitEvent(other, fork));
  launch_on(other, set, 1, 64, 0, more, 2.0f);
  launch(add, 1, 64, values, 3.0f);
  expect_success(cudaEventRecord(join, other));
  expect_success(cudaStreamWaitEvent(stream(), join));
  launch(add, 1, 64, more, 4.0f);
  cudaGraphExec_t diamond = instantiate(end());
  begin();
  launch(set, 1, 64, values, 1.0f);
  cudaGraphExec_t single = instantiate(end());
  Gru4recEmulatorCounters counters;
  gru4rec_emulator_read_counters(&counters);
  expect_result(counters.graph_nodes == 0 && counters.graph_depth == 0);
  expect_success(cudaGraphLaunch(diamond, stream()));
  gru4rec_emulator_read_counters(&counters);
  expect_result(counters.graph_nodes == 4 && counters.graph_depth == 3);
  expect_success(cudaGraphLaunch(single, stream()));
  gru4rec_emulator_read_counters(&counters);
  expect_result(counters.graph_nodes == 1 && counters.graph_depth == 1);
  expect_result(on_host(more, 1)[0] == 6.0f);
}

CASE(argument_of_a_graph_is_frozen) {
  float *values = on_device<float>(64), value = 1.0f;
  begin();
  launch(set, 1, 64, values, value);
  cudaGraphExec_t executable = instantiate(end());
  value = 2.0f;
  expect_success(cudaGraphLaunch(executable, stream()));
  expect_result(on_host(values, 1)[0] == value);
}
CASE(graph_uses_freed_memory) {
  float* values = on_device<float>(64);
  begin();
  launch(set, 1, 64, values, 1.0f);
  cudaGraphExec_t executable = instantiate(end());
  expect_success(cudaFree(values));
  expect_success(cudaGraphLaunch(executable, stream()));
  expect_success(cudaStreamSynchronize(stream()));
}

/// Several host threads, each with a stream of its own.
CASE(host_threads) {
  bool right[4] = {};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t, &right] {
      cudaStream_t own = make_stream();
      float *values = on_device<float>(64), *out = pinned<float>(64);
      right[t] = true;
      for (int i = 0; i < 20; ++i) {
        const float value = static_cast<float>(100 * t + i);
        launch_on(own, set, 1, 64, 0, values, value);
        launch_on(own, add, 1, 64, 0, values, 1.0f);
        expect_success(cudaMemcpyAsync(out, values, kBytes, cudaMemcpyDeviceToHost, own));
        expect_success(cudaStreamSynchronize(own));
        right[t] = right[t] && out[63] == value + 1.0f;
      }
      expect_success(cudaStreamDestroy(own));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (bool one : right) expect_result(one);
}

}  // namespace gru4rec::emulator::test
