#pragma once

#include <memory>
#include <vector>

#include "backend/registry.h"
#include "core/schedule.h"
#include "engine/trainer.h"

/// A small click log, a model, and its training.
namespace gru4rec::test {

constexpr int64_t kItems = 50;

/// Sessions of 2 to 6 events over kItems items.
struct Clicks {
  std::vector<int32_t> items, offsets{0}, order;
  std::vector<uint32_t> support = std::vector<uint32_t>(kItems, 1);

  explicit Clicks(int64_t sessions) {
    const RandomStream random = random_stream(7, Purpose::shuffle, 0);
    uint64_t next = 0;
    for (int64_t s = 0; s < sessions; ++s) {
      const int64_t length = 2 + random_word(random, next++) % 5;
      for (int64_t e = 0; e < length; ++e) {
        items.push_back(static_cast<int32_t>(random_word(random, next++) % kItems));
        ++support[items.back()];
      }
      offsets.push_back(static_cast<int32_t>(items.size()));
      order.push_back(static_cast<int32_t>(s));
    }
  }
  Sessions sessions() const {
    return {{items.data(), static_cast<int64_t>(items.size())}, {offsets.data(), static_cast<int64_t>(offsets.size())}};
  }
  Span<const int32_t> all() const { return {order.data(), static_cast<int64_t>(order.size())}; }
  Span<const uint32_t> counts() const { return {support.data(), kItems}; }
};

inline ModelSpec small_model(EmbeddingMode embedding) {
  ModelSpec spec;
  spec.items = kItems;
  spec.layers = {24, 16};
  spec.embedding = embedding;
  spec.embedding_size = 12;
  spec.final_act.kind = ActivationKind::softmax;
  return spec;
}

inline TrainingSpec small_training(const ModelSpec& model) {
  TrainingSpec spec;
  spec.loss.final_act = model.final_act;
  spec.batch = 8;
  spec.samples = 40;
  spec.logq = 1.0;
  spec.dropout_embed = 0.2;
  spec.dropout_hidden = 0.1;
  spec.grad_cap = 1.0;
  spec.optimiser.momentum = 0.1f;
  return spec;
}

/// A model with its back end.
struct Model {
  std::unique_ptr<Backend> backend;
  Parameters parameters;

  Model(const ModelSpec& spec, int threads) : Model(spec, DeviceOptions{"cpu", threads, {}, {}}) {}
  Model(const ModelSpec& spec, const DeviceOptions& options)
      : backend(create_backend(options)), parameters(*backend, spec) {
    parameters.initialise({});
  }
  /// All parameters, one tensor behind the other.
  std::vector<float> values() const {
    std::vector<float> all;
    for (const StoredTensor& tensor : parameters.tensors()) {
      std::vector<float> values(tensor.size());
      tensor.read(*backend, 0, tensor.size(), values.data());
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
};

/// A model in training: the state of its optimiser, and who trains it. The model must outlive it.
struct Training {
  OptimiserState optimiser;
  Trainer trainer;

  /// @param clicks  how often each item was clicked; epochs may have others.
  Training(Model& model, const TrainingSpec& spec, const Clicks& clicks, const TrainingPosition& position = {})
      : optimiser(model.parameters, spec.optimiser),
        trainer(model.parameters, optimiser, spec, clicks.counts(), position) {}

  /// One epoch over all sessions.
  Progress epoch(const Clicks& clicks, const Cancellation& cancellation = Cancellation(),
                 const std::function<void(const Progress&)>& report = nullptr) {
    return trainer.epoch(clicks.sessions(), clicks.all(), cancellation, report);
  }
};

/// The CPU on one thread.
inline const DeviceOptions kCpu{"cpu", 1, {}, {}};

}  // namespace gru4rec::test
