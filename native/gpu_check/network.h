#pragma once

#include <memory>
#include <vector>

#include "backend/registry.h"
#include "engine/trainer.h"
#include "gpu_check/clicks.h"

namespace gru4rec::gpu_check {

/// A model with a back end of its own and the initial weights of seed 42.
struct Network {
  Network(const ModelSpec& spec, const DeviceOptions& device);

  std::unique_ptr<Backend> backend;
  Parameters parameters;
};

/// A network in training.
class Training {
 public:
  Training(Network& network, const TrainingSpec& spec, const Clicks& clicks);

  /// One epoch over the clicks, in the order of the sessions. `clicks` must be those of the constructor, or last as
  /// long.
  Progress epoch();
  /// Asks an epoch on another thread to end, with an Error.
  void cancel() { cancellation_.cancel(); }
  /// Parameters and optimiser state.
  StoredTensors tensors() const;

 private:
  Network& network_;
  const Clicks& clicks_;
  std::vector<int32_t> order_;
  OptimiserState optimiser_;
  Trainer trainer_;
  Cancellation cancellation_;
};

/// The content of tensors, four bytes an element, one tensor behind the other.
std::vector<uint32_t> bits_of(Backend& backend, const StoredTensors& tensors);
/// Gives `to` the parameters of `from`.
void copy_parameters(const Network& from, Network& to);

/// Ranks of the targets of `clicks`, `batch` sessions side by side.
std::vector<double> ranks_of(const Network& network, const Clicks& clicks, int64_t batch);

struct Accuracy {
  double recall = 0.0;  ///< Recall@20
  double mrr = 0.0;     ///< MRR@20
  int64_t targets = 0;
};
Accuracy accuracy_of(const std::vector<double>& ranks);

}  // namespace gru4rec::gpu_check
