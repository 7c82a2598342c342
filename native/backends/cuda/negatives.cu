#include <algorithm>

#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/device.cuh"

namespace gru4rec::cuda {

constexpr int kDrawThreads = 256;
constexpr int kKeepThreads = 1024;

/// Draws the pair `pair` of neighbouring samples of a step with the random block that serves both, or the one that is
/// left at an odd end. samples [count].
__device__ __forceinline__ void draw_pair(const SamplingTableView& table, const RandomStream& stream, int64_t pair,
                                          int32_t* samples, int64_t count) {
  const PhiloxBlock random = philox(stream, static_cast<uint32_t>(pair));
  int32_t* out = samples + 2 * pair;
  out[0] = sample_item(table, uint64_t{random.word[1]} << 32 | random.word[0]);
  if (2 * pair + 1 < count) out[1] = sample_item(table, uint64_t{random.word[3]} << 32 | random.word[2]);
}

/// samples [steps, N] <- items drawn by docs/random.md, "Negative samples".
/// Grid and block: x over the pairs of neighbouring samples of all steps, `pairs` a step. No barriers.
__global__ void __launch_bounds__(kDrawThreads)
    draw_kernel(SamplingTableView table, RandomStream stream, MatrixView<int32_t> samples, int64_t pairs) {
  const int64_t thread = int64_t{blockIdx.x} * kDrawThreads + threadIdx.x;
  if (thread >= samples.rows * pairs) return;
  const int64_t step = thread / pairs;
  const RandomStream of_step{stream.seed, stream.step + static_cast<uint64_t>(step), stream.purpose};
  draw_pair(table, of_step, thread % pairs, samples.row(step), samples.cols);
}

/// The items and sources of the step that feed.state names (backend.h).
/// Grid and block: x over the rows of the step and over the pairs of its samples; a thread copies what row t has and
/// draws pair t. No barriers: `step` and `row` of the state are only read here, `active` is only written, by thread 0.
__global__ void __launch_bounds__(kDrawThreads) begin_step_kernel(StepFeed feed, int64_t pairs) {
  const int64_t thread = int64_t{blockIdx.x} * kDrawThreads + threadIdx.x, batch = feed.batch();
  const int32_t* row = feed.rows.row(feed.state->row % feed.rows.rows);
  if (thread == 0) feed.state->active = row[0];
  if (thread < batch) {
    feed.items[thread] = row[1 + thread];
    feed.items[batch + feed.samples + thread] = row[1 + batch + thread];
    feed.source[thread] = row[1 + 2 * batch + thread];
  }
  if (thread < pairs) {
    const RandomStream stream{feed.seed, feed.state->step, static_cast<uint32_t>(Purpose::negatives)};
    draw_pair(feed.table, stream, thread, feed.items.data + batch, feed.samples);
  }
}

void CudaBackend::do_draw_negatives(const SamplingTableView& table, const RandomStream& random,
                                    MatrixView<int32_t> samples) {
  const int64_t pairs = (samples.cols + 1) / 2;
  launch(draw_kernel, blocks_for(samples.rows * pairs, kDrawThreads), kDrawThreads, 0, stream(), table, random, samples,
         pairs);
}

void CudaBackend::do_begin_step(const StepFeed& feed) {
  const int64_t pairs = (feed.samples + 1) / 2;
  launch(begin_step_kernel, blocks_for(std::max(pairs, feed.batch()), kDrawThreads), kDrawThreads, 0, stream(), feed,
         pairs);
}

/// rows [R, size] at state->row % R <- values, then the state goes on. One block: a thread copies every 1024th value;
/// after the barrier, when all have read the state, thread 0 moves it. More blocks would take a launch more for the
/// state, which every step would wait for; what is kept are ranks, two numbers a row, and the evaluation follows its
/// feed for at most 1,024 rows (engine/ranking_rows.h), so that a thread copies two.
__global__ void __launch_bounds__(kKeepThreads)
    keep_step_kernel(Span<const int32_t> values, StepState* state, MatrixView<int32_t> rows) {
  int32_t* row = rows.row(state->row % rows.rows);
  for (int64_t i = threadIdx.x; i < values.size; i += kKeepThreads) row[i] = values[i];
  __syncthreads();  // all have read the state
  if (threadIdx.x != 0) return;
  ++state->step;
  ++state->row;
}

void CudaBackend::do_keep_step(Span<const int32_t> values, StepState* state, MatrixView<int32_t> rows) {
  launch(keep_step_kernel, 1, kKeepThreads, 0, stream(), values, state, rows);
}

}  // namespace gru4rec::cuda
