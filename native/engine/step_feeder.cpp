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
      active_(max_chunk()),
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

void StepFeeder::begin(Schedule& schedule, uint64_t step) {
  backend_.synchronize();  // steps of a walk that was given up may still read the feed
  next_ = 0;
  const StepState state{step, 0, 0};
  state_.upload({&state, 1});
  begun_ = take(schedule, chunk_.data());
  send(0, 1);
  backend_.begin_step(view_);
}

StepFeeder::Chunk StepFeeder::feed(Schedule& schedule, int64_t steps) {
  Chunk chunk;
  chunk.first = next_ % capacity_;
  // Its own rows end with the ring at the latest, so that what is kept of them lies in one piece, too: a launch or two
  // of single steps, once a ring.
  const int64_t most = std::min({steps, max_chunk(), capacity_ - chunk.first});
  for (; chunk.steps < most && begun_ > 0; ++chunk.steps) {
    active_[chunk.steps] = begun_;
    chunk.events += begun_;
    begun_ = take(schedule, chunk_.data() + chunk.steps * StepFeed::row_size(batch_));
  }
  if (chunk.steps > 0) send(next_ + 1, chunk.steps);
  next_ += chunk.steps;
  return chunk;
}

int64_t StepFeeder::take(Schedule& schedule, int32_t* out) const {
  ScheduleStep step;
  if (!schedule.next(step)) step = {};
  *out++ = static_cast<int32_t>(step.input.size);
  out = append(step.target, batch_, filler_, out);
  out = append(step.input, batch_, filler_, out);
  append(step.source, batch_, -1, out);
  return step.input.size;
}

void StepFeeder::send(int64_t first, int64_t count) {
  const int64_t row_size = StepFeed::row_size(batch_);
  const auto upload = [&](int64_t from, int64_t rows, int64_t to) {
    if (rows == 0) return;
    backend_.upload_beside(chunk_.data() + from * row_size, rows * row_size * static_cast<int64_t>(sizeof(int32_t)),
                           rows_.data() + to * row_size);
  };
  const int64_t place = first % capacity_, before_end = std::min(count, capacity_ - place);
  upload(0, before_end, place);
  upload(before_end, count - before_end, 0);
}

}  // namespace gru4rec
