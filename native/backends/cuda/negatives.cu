#include "backends/cuda/cuda_backend_impl.h"
#include "backends/cuda/device.cuh"

namespace gru4rec::cuda {

constexpr int kDrawThreads = 256;

/// samples [steps, N] <- items drawn by docs/random.md, "Negative samples".
/// Grid and block: x over the pairs of neighbouring samples of all steps, `pairs` a step; a thread draws the random
/// block that serves its pair and writes both, or the one that is left at an odd end. No barriers.
__global__ void __launch_bounds__(kDrawThreads)
    draw_kernel(SamplingTableView table, RandomStream stream, MatrixView<int32_t> samples, int64_t pairs) {
  const int64_t thread = int64_t{blockIdx.x} * kDrawThreads + threadIdx.x;
  if (thread >= samples.rows * pairs) return;
  const int64_t step = thread / pairs, pair = thread % pairs;
  const RandomStream of_step{stream.seed, stream.step + static_cast<uint64_t>(step), stream.purpose};
  const PhiloxBlock random = philox(of_step, static_cast<uint32_t>(pair));
  int32_t* out = samples.row(step) + 2 * pair;
  out[0] = sample_item(table, uint64_t{random.word[1]} << 32 | random.word[0]);
  if (2 * pair + 1 < samples.cols) out[1] = sample_item(table, uint64_t{random.word[3]} << 32 | random.word[2]);
}

void CudaBackend::do_draw_negatives(const SamplingTableView& table, const RandomStream& stream,
                                    MatrixView<int32_t> samples) {
  const int64_t pairs = (samples.cols + 1) / 2;
  launch(draw_kernel, blocks_for(samples.rows * pairs, kDrawThreads), kDrawThreads, 0, stream_, table, stream, samples,
         pairs);
}

}  // namespace gru4rec::cuda
