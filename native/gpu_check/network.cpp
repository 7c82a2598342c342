#include "gpu_check/network.h"

#include "engine/evaluator.h"
#include "engine/snapshot.h"

namespace gru4rec::gpu_check {

Network::Network(const ModelSpec& spec, const DeviceOptions& device)
    : backend(create_backend(device)), parameters(*backend, spec) {
  parameters.initialise({});
}

Training::Training(Network& network, const TrainingSpec& spec, const Clicks& clicks)
    : network_(network),
      clicks_(clicks),
      order_(clicks.order()),
      optimiser_(network.parameters, spec.optimiser),
      trainer_([&]() -> Trainer {
        const std::vector<uint32_t> support = clicks.support();
        return Trainer(network.parameters, optimiser_, spec, {support.data(), clicks.items});
      }()) {}

Progress Training::epoch() {
  return trainer_.epoch(clicks_.sessions(), {order_.data(), clicks_.count()}, cancellation_, nullptr);
}

StoredTensors Training::tensors() const {
  StoredTensors all = network_.parameters.tensors();
  for (const StoredTensor& tensor : optimiser_.tensors()) all.push_back(tensor);
  return all;
}

std::vector<uint32_t> bits_of(Backend& backend, const StoredTensors& tensors) {
  std::vector<uint32_t> bits;
  for (const StoredTensor& tensor : tensors) {
    const size_t before = bits.size();
    bits.resize(before + tensor.size());
    tensor.read(backend, 0, tensor.size(), bits.data() + before);
  }
  return bits;
}

void copy_parameters(const Network& from, Network& to) {
  Snapshot snapshot;
  snapshot.take(*from.backend, from.parameters.tensors());
  snapshot.restore(*to.backend, to.parameters.tensors());
}

std::vector<double> ranks_of(const Network& network, const Clicks& clicks, int64_t batch) {
  EvaluationOptions options;
  options.batch = batch;
  return evaluate(network.parameters, clicks.sessions(), options, Cancellation());
}

Accuracy accuracy_of(const std::vector<double>& ranks) {
  constexpr double kLength = 20.0;
  Accuracy accuracy;
  accuracy.targets = static_cast<int64_t>(ranks.size());
  for (const double rank : ranks) {
    if (rank > kLength) continue;
    accuracy.recall += 1.0;
    accuracy.mrr += 1.0 / rank;
  }
  if (ranks.empty()) return accuracy;
  accuracy.recall /= static_cast<double>(ranks.size());
  accuracy.mrr /= static_cast<double>(ranks.size());
  return accuracy;
}

}  // namespace gru4rec::gpu_check
