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

StepFeeder::StepFeeder(Backend& backend, const TrainingSpec& spec, const SampleStore& samples)
    : backend_(backend),
      batch_(spec.batch),
      capacity_(2 * largest_chunk(spec.batch)),
      chunk_(max_chunk() * StepFeed::row_size(batch_)),
      rows_(backend, capacity_ * StepFeed::row_size(batch_)),
      state_(backend, 1),
      items_(backend, batch_ + spec.samples + batch_),
      source_(backend, batch_) {
  view_.rows = rows_.matrix(capacity_, StepFeed::row_size(batch_));
  view_.table = samples.table();
  view_.seed = spec.seed;
  view_.samples = spec.samples;
  view_.state = state_.data();
  view_.items = items_.span();
  view_.source = source_.span();
}

void StepFeeder::begin(uint64_t step) {
  next_ = 0;
  const StepState state{step, 0, 0};
  state_.upload({&state, 1});
}

StepFeeder::Chunk StepFeeder::feed(Schedule& schedule, int64_t steps) {
  const int64_t row_size = StepFeed::row_size(batch_), most = std::min(steps, max_chunk());
  Chunk chunk;
  int32_t* out = chunk_.data();
  for (ScheduleStep step; chunk.steps < most && schedule.next(step); ++chunk.steps) {
    *out++ = static_cast<int32_t>(step.input.size);
    out = append(step.target, batch_, kNoItem, out);
    out = append(step.input, batch_, kNoItem, out);
    out = append(step.source, batch_, -1, out);
    chunk.events += step.input.size;
  }
  for (int64_t sent = 0; sent < chunk.steps;) {
    const int64_t place = next_ % capacity_, count = std::min(chunk.steps - sent, capacity_ - place);
    backend_.upload_beside(chunk_.data() + sent * row_size, count * row_size * static_cast<int64_t>(sizeof(int32_t)),
                           rows_.data() + place * row_size);
    sent += count;
    next_ += count;
  }
  return chunk;
}

}  // namespace gru4rec
