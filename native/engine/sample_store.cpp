#include "engine/sample_store.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace gru4rec {

namespace {

/// Steps whose samples fit into the store, at least one.
int64_t steps_in_store(const Backend& backend, const TrainingSpec& spec) {
  if (backend.records()) return 0;
  return spec.samples == 0 ? 1 : std::max<int64_t>(1, spec.sample_store / spec.samples);
}

/// The correction belongs to the softmax; the pairwise losses go without.
bool uses_logq(const TrainingSpec& spec) {
  return spec.logq > 0.0 && (spec.loss.kind == LossKind::cross_entropy || spec.loss.kind == LossKind::xe_logit);
}

}  // namespace

SampleStore::SampleStore(Backend& backend, const TrainingSpec& spec, int64_t items, Span<const uint32_t> support)
    : backend_(backend),
      batch_(spec.batch),
      samples_(spec.samples),
      steps_(steps_in_store(backend, spec)),
      seed_(spec.seed),
      target_coefficient_(static_cast<float>(spec.logq)),
      sample_coefficient_(static_cast<float>(spec.logq * spec.sample_alpha)),
      log_support_(backend, uses_logq(spec) ? items : 0),
      cumulative_(backend, samples_ > 0 ? items : 0),
      guide_(backend, samples_ > 0 ? SamplingTable::guide_size(items) : 0),
      store_(backend, steps_ * width()) {
  table_ = {cumulative_.data(), guide_.data(), 0, items};
  if (support.empty()) return;
  if (log_support_.size() > 0) {
    std::vector<float> log_support(support.size);
    for (int64_t i = 0; i < support.size; ++i) log_support[i] = static_cast<float>(std::log(support[i]));
    log_support_.upload({log_support.data(), support.size});
  }
  if (samples_ > 0) {
    const SamplingTable table(support, spec.sample_alpha);
    table_.guide_bits = table.view().guide_bits;
    cumulative_.upload({table.cumulative().data(), cumulative_.size()});
    guide_.upload({table.guide().data(), guide_.size()});
  }
}

LogQ SampleStore::log_q(int64_t targets) const {
  if (log_support_.size() == 0) return {};
  return {log_support_.data(), target_coefficient_, sample_coefficient_, targets};
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
