#include <algorithm>

#include "backends/cpu/cpu_backend_impl.h"

namespace gru4rec::cpu {

namespace {

/// Samples that one task draws; even, so that both numbers of a random block are used by one task.
constexpr int64_t kTaskSamples = 2048;
/// Samples whose look-ups are under way at once.
constexpr int64_t kChunk = 128;

/// sample_item, whose guide entry `low` was read before. Most answers are at most three items behind it: counting them
/// costs less than a search whose end the processor cannot predict.
int32_t search_item(const SamplingTableView& table, int64_t low, uint64_t u) {
  while (low + 4 <= table.items) {
    const uint64_t* share = table.cumulative + low;
    const int64_t below =
        int64_t{share[0] <= u} + int64_t{share[1] <= u} + int64_t{share[2] <= u} + int64_t{share[3] <= u};
    low += below;
    if (below < 4) break;
  }
  while (low < table.items - 1 && table.cumulative[low] <= u) ++low;
  return static_cast<int32_t>(std::min(low, table.items - 1));
}

void draw_chunk(const SamplingTableView& table, const uint32_t* words, int64_t count, int32_t* drawn) {
  uint64_t numbers[kChunk];
  for (int64_t j = 0; j < count; ++j) {
    numbers[j] = uint64_t{words[2 * j + 1]} << 32 | words[2 * j];
    __builtin_prefetch(table.guide + (numbers[j] >> (64 - table.guide_bits)));
  }
  for (int64_t j = 0; j < count; ++j) {
    drawn[j] = table.guide[numbers[j] >> (64 - table.guide_bits)];
    __builtin_prefetch(table.cumulative + drawn[j]);
  }
  for (int64_t j = 0; j < count; ++j) drawn[j] = search_item(table, drawn[j], numbers[j]);
}

}  // namespace

void CpuBackend::do_draw_negatives(const SamplingTableView& table, const RandomStream& stream,
                                   MatrixView<int32_t> samples) {
  const int64_t tasks_per_step = (samples.cols + kTaskSamples - 1) / kTaskSamples;
  pool_.run(samples.rows * tasks_per_step, [&](int64_t task, int) {
    const int64_t step = task / tasks_per_step;
    const int64_t first = task % tasks_per_step * kTaskSamples, last = std::min(first + kTaskSamples, samples.cols);
    const RandomStream of_step{stream.seed, stream.step + static_cast<uint64_t>(step), stream.purpose};
    uint32_t words[2 * kChunk + kRandomWordsMargin];
    for (int64_t j = first; j < last; j += kChunk) {
      const int64_t count = std::min(kChunk, last - j);
      kernels_.random_words(of_step, static_cast<uint32_t>(j / 2), (count + 1) / 2, words);
      draw_chunk(table, words, count, samples.row(step) + j);
    }
  });
}

void CpuBackend::do_begin_step(const StepFeed& feed) {
  const int64_t batch = feed.batch();
  StepState& state = *feed.state;
  const int32_t* row = feed.rows.row(state.row % feed.rows.rows);
  state.active = row[0];
  const int32_t *target = row + 1, *input = target + batch, *source = input + batch;
  std::copy_n(target, batch, feed.items.data);
  std::copy_n(input, batch, feed.items.data + batch + feed.samples);
  std::copy_n(source, batch, feed.source.data);
  if (feed.samples == 0) return;
  do_draw_negatives(feed.table, random_stream(feed.seed, Purpose::negatives, state.step),
                    {feed.items.data + batch, 1, feed.samples});
}

void CpuBackend::do_keep_step(Span<const int32_t> values, StepState* state, MatrixView<int32_t> rows) {
  std::copy(values.begin(), values.end(), rows.row(state->row % rows.rows));
  ++state->step;
  ++state->row;
}

}  // namespace gru4rec::cpu
