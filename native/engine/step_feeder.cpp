#include "engine/step_feeder.h"

#include <algorithm>

namespace gru4rec {

namespace {

/// A chunk is at most so large: what goes up in one copy.
constexpr int64_t kChunkBytes = int64_t{1} << 20;
constexpr int64_t kMaxChunk = 4096;

int64_t largest_chunk(int64_t batch) {
  const int64_t row_bytes = StepFeed::row_size(batch) * static_cast<int64_t>(sizeof(int32_t));
  return std::clamp<int64_t>(kChunkBytes / row_bytes, 1, kMaxChunk);
}

/// `values`, then `filler` up to `size`.
int32_t* append(Span<const int32_t> values, int64_t size, int32_t filler, int32_t* out) {
  std::copy(values.begin(), values.end(), out);
  std::fill(out + values.size, out + size, filler);
  return out + size;
}

}  // namespace

StepFeeder::StepFeeder(Backend& backend, int64_t batch, const StepSamples& samples, int32_t filler)
    : backend_(backend),
      batch_(batch),
      capacity_(2 * largest_chunk(batch)),
      filler_(filler),
      chunk_(max_chunk() * StepFeed::row_size(batch)),
      rows_(backend, capacity_ * StepFeed::row_size(batch)),
      state_(backend, 1),
      items_(backend, batch + samples.count + batch),
      source_(backend, batch) {
  view_.rows = rows_.matrix(capacity_, StepFeed::row_size(batch));
  view_.table = samples.table;
  view_.seed = samples.seed;
  view_.samples = samples.count;
  view_.state = state_.data();
  view_.items = items_.span();
  view_.source = source_.span();
}

void StepFeeder::begin(uint64_t step) {
  backend_.synchronize();  // steps of a walk that was given up may still read the feed
  next_ = 0;
  const StepState state{step, 0, 0};
  state_.upload({&state, 1});
}

StepFeeder::Chunk StepFeeder::feed(Schedule& schedule, int64_t steps) {
  Chunk chunk;
  chunk.first = next_ % capacity_;
  const int64_t most = std::min({steps, max_chunk(), capacity_ - chunk.first});
  int32_t* out = chunk_.data();
  for (ScheduleStep step; chunk.steps < most && schedule.next(step); ++chunk.steps) {
    *out++ = static_cast<int32_t>(step.input.size);
    out = append(step.target, batch_, filler_, out);
    out = append(step.input, batch_, filler_, out);
    out = append(step.source, batch_, -1, out);
    chunk.events += step.input.size;
  }
  const int64_t row_size = StepFeed::row_size(batch_);
  if (chunk.steps > 0) {
    backend_.upload_beside(chunk_.data(), chunk.steps * row_size * static_cast<int64_t>(sizeof(int32_t)),
                           rows_.data() + chunk.first * row_size);
  }
  next_ += chunk.steps;
  return chunk;
}

}  // namespace gru4rec
