#include <algorithm>

#include "backends/cpu/cpu_backend_impl.h"

namespace gru4rec::cpu {

namespace {

/// Samples that one task draws; even, so that both numbers of a random block are used by one task.
constexpr int64_t kTaskSamples = 2048;

}  // namespace

void CpuBackend::do_draw_negatives(const SamplingTableView& table, const RandomStream& stream,
                                   MatrixView<int32_t> samples) {
  const int64_t tasks_per_step = (samples.cols + kTaskSamples - 1) / kTaskSamples;
  pool_.run(samples.rows * tasks_per_step, [&](int64_t task, int) {
    const int64_t step = task / tasks_per_step;
    const int64_t first = task % tasks_per_step * kTaskSamples, last = std::min(first + kTaskSamples, samples.cols);
    const RandomStream of_step{stream.seed, stream.step + static_cast<uint64_t>(step), stream.purpose};
    int32_t* drawn = samples.row(step);
    for (int64_t j = first; j < last; j += 2) {
      const PhiloxBlock block = philox(of_step, static_cast<uint32_t>(j / 2));
      drawn[j] = sample_item(table, uint64_t{block.word[1]} << 32 | block.word[0]);
      if (j + 1 < last) drawn[j + 1] = sample_item(table, uint64_t{block.word[3]} << 32 | block.word[2]);
    }
  });
}

}  // namespace gru4rec::cpu
