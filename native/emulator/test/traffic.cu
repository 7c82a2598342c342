#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "emulator/emulator.h"
#include "emulator/test/cases.h"

struct cublasContext;
extern "C" {
int cublasCreate_v2(cublasContext** handle);
int cublasSetStream_v2(cublasContext* handle, cudaStream_t stream);
int cublasSetWorkspace_v2(cublasContext* handle, void* workspace, size_t bytes);
int cublasSgemm_v2(cublasContext* handle, int a_operation, int b_operation, int m, int n, int k, const float* alpha,
                   const float* a, int a_leading, const float* b, int b_leading, const float* beta, float* c,
                   int c_leading);
}

/// Kernels whose loads and stores are counted. A case compares the profile of what it ran with what that must be.
namespace gru4rec::emulator::test {

/// What a profile says of one node.
struct Node {
  std::string text;

  /// The number behind "name":
  uint64_t number(const std::string& name) const {
    const size_t at = text.find("\"" + name + "\": ");
    expect_result(at != std::string::npos);
    return std::stoull(text.substr(at + name.size() + 4));
  }
  bool says(const std::string& name, const std::string& value) const {
    return text.find("\"" + name + "\": " + value) != std::string::npos;
  }
  bool touches(uint64_t read, uint64_t written) const {
    return number("bytesRead") == read && number("bytesWritten") == written;
  }
};

/// Starts a profile, runs what `body` enqueues in stream(), and returns the nodes of the profile.
template <class Body>
std::vector<Node> profile(const Body& body) {
  stream();
  gru4rec_emulator_start_profile();
  body();
  expect_success(cudaStreamSynchronize(stream()));
  const std::string path = "/tmp/gru4rec-profile-" + std::to_string(getpid());
  gru4rec_emulator_write_profile(path.c_str());
  std::ifstream file(path);
  std::vector<Node> nodes;
  for (std::string line; std::getline(file, line);)
    if (line.compare(0, 8, "{\"kind\":") == 0) nodes.push_back({line});
  std::remove(path.c_str());
  return nodes;
}

/// out [written] <- the sums of as many pieces of in [read]. One thread for each.
__global__ void sum_pieces(const float* in, int read, float* out, int written) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= written) return;
  float sum = 0.0f;
  for (int j = i; j < read; j += written) sum += in[j];
  out[i] = sum;
}

CASE(reads_and_writes) {
  const float* in = on_device(std::vector<float>(4096, 1.0f));
  float* out = on_device<float>(256);
  for (const int written : {8, 64, 256}) {
    const auto nodes = profile([&] { launch(sum_pieces, 4, 64, in, 4096, out, written); });
    expect_result(nodes.size() == 1 && nodes[0].touches(4096 * 4, written * 4u));
    expect_result(nodes[0].number("accesses") == 4096u + static_cast<unsigned>(written));
    expect_result(nodes[0].number("blocks") == 4 && nodes[0].number("threads") == 64);
    expect_result(nodes[0].says("kind", "\"kernel\"") &&
                  nodes[0].says("name", "\"gru4rec::emulator::test::sum_pieces\""));
  }
}

/// A load of part of a sector brings all of it.
CASE(parts_of_sectors) {
  const float* in = on_device(std::vector<float>(64, 1.0f));
  float* out = on_device<float>(64);
  const auto nodes = profile([&] { launch(sum_pieces, 1, 32, in + 7, 2, out + 3, 1); });
  expect_result(nodes[0].touches(2 * 32, 32));
}

__global__ void read_one_line(const float* in, float* out) {
  out[blockIdx.x * blockDim.x + threadIdx.x] = in[threadIdx.x % 8];
}
CASE(line_of_all_threads) {
  const float* in = on_device(std::vector<float>(8, 1.0f));
  float* out = on_device<float>(1024);
  const auto nodes = profile([&] { launch(read_one_line, 8, 128, in, out); });
  expect_result(nodes[0].touches(32, 4096) && nodes[0].number("accesses") == 2048);
}

/// Beside a cache of 4 KB, which is empty when a profile starts. One thread, so that the order is known.
CASE(cache) {
  const float *in = on_device(std::vector<float>(512)), *more = on_device(std::vector<float>(768));
  float* out = on_device<float>(16);
  for (int repeat = 0; repeat < 2; ++repeat) {
    const auto nodes = profile([&] {
      launch(sum_pieces, 1, 1, in, 512, out, 1);
      launch(sum_pieces, 1, 1, in, 512, out, 1);        // all there
      launch(sum_pieces, 1, 1, more, 768, out + 8, 1);  // in place of part of `in`
      launch(sum_pieces, 1, 1, in, 512, out, 1);        // in place of the rest of it, and of `out`, which was written
    });
    const auto moves = [&](size_t node, uint64_t fetched, uint64_t written_back) {
      return nodes[node].number("bytesFetched") == fetched && nodes[node].number("bytesWrittenBack") == written_back;
    };
    expect_result(nodes.size() == 4 && moves(0, 2048, 0) && moves(1, 0, 0) && moves(2, 3072, 0) && moves(3, 2048, 32));
  }
}

/// Shared memory, local arrays and arguments are no device memory.
__global__ void reverse(const float4* in, float4* out, int count) {
  GRU_SHARED(float4, values, [64]);
  const int i = static_cast<int>(threadIdx.x);
  values[i] = in[i];
  __syncthreads();  // all values are there
  out[i] = values[count - 1 - i];
}
CASE(shared_memory) {
  const float4* in = on_device(std::vector<float4>(64));
  float4* out = on_device<float4>(64);
  const auto nodes = profile([&] { launch(reverse, 1, 64, in, out, 64); });
  expect_result(nodes[0].touches(1024, 1024));
}

__global__ void count_with_atomics(unsigned* counts) { atomicAdd(&counts[threadIdx.x % 16], 1u); }
CASE(atomics) {
  unsigned* counts = on_device(std::vector<unsigned>(16));
  const auto nodes = profile([&] { launch(count_with_atomics, 2, 64, counts); });
  expect_result(nodes[0].touches(64, 64) && on_host(counts, 1)[0] == 8);
}

CASE(copies_and_fills) {
  float *values = on_device<float>(256), *more = on_device<float>(256), *host = pinned<float>(256);
  std::fill_n(host, 256, 1.0f);
  const auto nodes = profile([&] {
    expect_success(cudaMemcpyAsync(values, host, 1024, cudaMemcpyHostToDevice, stream()));
    expect_success(cudaMemcpyAsync(more, values, 512, cudaMemcpyDeviceToDevice, stream()));
    expect_success(cudaMemsetAsync(values, 0, 256, stream()));
    expect_success(cudaMemcpyAsync(host, more, 64, cudaMemcpyDeviceToHost, stream()));
  });
  expect_result(nodes.size() == 4);
  expect_result(nodes[0].touches(0, 1024) && nodes[1].touches(512, 512));
  expect_result(nodes[2].touches(0, 256) && nodes[3].touches(64, 0));
  expect_result(nodes[2].says("kind", "\"fill\"") && nodes[3].says("name", "\"copy to the host\""));
  // A stream is a chain.
  for (int i = 1; i < 4; ++i) expect_result(nodes[i].says("after", "[" + std::to_string(i - 1) + "]"));
}

/// C [16, 8] <- A [16, 24] B [24, 8], C and A in wider matrices: what lies between their columns is not read.
CASE(product) {
  const float one = 1.0f, zero = 0.0f;
  cublasContext* handle = nullptr;
  expect_result(cublasCreate_v2(&handle) == 0 && cublasSetStream_v2(handle, stream()) == 0);
  expect_result(cublasSetWorkspace_v2(handle, on_device<char>(1024), 1024) == 0);
  const float *a = on_device(std::vector<float>(32 * 24)), *b = on_device(std::vector<float>(24 * 8));
  float* c = on_device(std::vector<float>(64 * 8));
  for (const float* beta : {&zero, &one}) {
    const auto nodes =
        profile([&] { expect_result(cublasSgemm_v2(handle, 0, 0, 16, 8, 24, &one, a, 32, b, 24, beta, c, 64) == 0); });
    const uint64_t of_c = 16 * 8 * 4;
    expect_result(nodes[0].touches(16 * 24 * 4 + 24 * 8 * 4 + (*beta != 0.0f ? of_c : 0), of_c));
    expect_result(nodes[0].number("flops") == 2 * 16 * 8 * 24 && nodes[0].says("precision", "\"float32\""));
  }
}

/// first -> (left, right) -> last; the profile and the counters know the edges.
CASE(diamond) {
  cudaStream_t other = make_stream();
  cudaEvent_t fork = make_event(), join = make_event();
  const float* in = on_device(std::vector<float>(64));
  float *first = on_device<float>(64), *left = on_device<float>(64), *right = on_device<float>(64);
  stream();
  expect_success(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal));
  launch(sum_pieces, 1, 64, in, 64, first, 8);
  expect_success(cudaEventRecord(fork, stream()));
  expect_success(cudaStreamWaitEvent(other, fork));
  launch_on(other, sum_pieces, 1, 64, 0, first, 8, left, 16);
  launch(sum_pieces, 1, 64, first, 8, right, 24);
  expect_success(cudaEventRecord(join, other));
  expect_success(cudaStreamWaitEvent(stream(), join));
  launch(sum_pieces, 1, 64, left, 8, right, 32);
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t executable = nullptr;
  expect_success(cudaStreamEndCapture(stream(), &graph));
  expect_success(cudaGraphInstantiate(&executable, graph));
  const auto nodes = profile([&] {
    launch(sum_pieces, 1, 64, in, 64, first, 40);
    for (int i = 0; i < 2; ++i) expect_success(cudaGraphLaunch(executable, stream()));
  });
  expect_result(nodes.size() == 9);
  expect_result(nodes[0].number("graph") == 0 && nodes[1].number("graph") == 1 && nodes[5].number("graph") == 2);
  expect_result(nodes[1].touches(256, 32) && nodes[4].touches(32, 128));
  expect_result(nodes[1].says("after", "[0]") && nodes[2].says("after", "[1]") && nodes[3].says("after", "[1]"));
  expect_result(nodes[4].says("after", "[2, 3]") || nodes[4].says("after", "[3, 2]"));
  expect_result(nodes[5].says("after", "[4]"));
}

CASE(profile_of_counted_kernels) {
  const float* in = on_device(std::vector<float>(4096));
  float* out = on_device<float>(8);
  for (int i = 0; i < 2; ++i) launch(sum_pieces, 1, 64, in, 4096, out, 8);
  expect_success(cudaStreamSynchronize(stream()));
  std::exit(0);  // the profile is printed at the end of the process
}

/// The edge of an event between streams, outside graphs.
CASE(event_is_an_edge) {
  cudaStream_t other = make_stream();
  cudaEvent_t event = make_event();
  const float* in = on_device(std::vector<float>(64));
  float* out = on_device<float>(64);
  const auto nodes = profile([&] {
    launch_on(other, sum_pieces, 1, 64, 0, in, 64, out, 8);
    expect_success(cudaEventRecord(event, other));
    launch(sum_pieces, 1, 64, in, 64, out + 32, 8);
    expect_success(cudaStreamWaitEvent(stream(), event));
    launch(sum_pieces, 1, 64, in, 64, out, 8);
  });
  expect_result(nodes.size() == 3 && nodes[2].says("after", "[0, 1]"));
}

}  // namespace gru4rec::emulator::test
