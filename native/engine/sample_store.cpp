#include "engine/sample_store.h"

#include <algorithm>

namespace gru4rec {

namespace {

/// Steps whose samples fit into a store of `ids` ids, at least one.
int64_t steps_in_store(int64_t ids, int64_t samples) { return samples == 0 ? 1 : std::max<int64_t>(1, ids / samples); }

}  // namespace

SampleStore::SampleStore(Backend& backend, const TrainingSpec& spec, Span<const uint32_t> support)
    : backend_(backend),
      batch_(spec.batch),
      samples_(spec.samples),
      steps_(steps_in_store(spec.sample_store, spec.samples)),
      seed_(spec.seed),
      store_(backend, steps_ * width()) {
  if (samples_ == 0) return;
  const SamplingTable table(support, spec.sample_alpha);
  cumulative_ = Array<uint64_t>(backend, static_cast<int64_t>(table.cumulative().size()));
  guide_ = Array<int32_t>(backend, static_cast<int64_t>(table.guide().size()));
  cumulative_.upload({table.cumulative().data(), cumulative_.size()});
  guide_.upload({table.guide().data(), guide_.size()});
  table_ = table.view();
  table_.cumulative = cumulative_.data();
  table_.guide = guide_.data();
}

StepItems SampleStore::items(uint64_t step, Span<const int32_t> input, Span<const int32_t> target) {
  if (!filled_ || step < first_step_ || step >= first_step_ + static_cast<uint64_t>(steps_)) {
    if (samples_ > 0)
      backend_.draw_negatives(table_, random_stream(seed_, Purpose::negatives, step),
                              {store_.data() + batch_, steps_, samples_, width()});
    first_step_ = step;
    filled_ = true;
  }
  const int64_t active = input.size, bytes = active * static_cast<int64_t>(sizeof(int32_t));
  int32_t* samples = store_.data() + static_cast<int64_t>(step - first_step_) * width() + batch_;
  backend_.upload(target.data, bytes, samples - active);
  backend_.upload(input.data, bytes, samples + samples_);
  return {{samples - active, active + samples_ + active}, active, samples_};
}

}  // namespace gru4rec
