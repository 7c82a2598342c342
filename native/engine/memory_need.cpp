#include "engine/memory_need.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "engine/trainer.h"

namespace gru4rec {

namespace {

/// One epoch of one step, with the largest batch.
void rehearse_step(Trainer& trainer, int64_t batch) {
  const std::vector<int32_t> items(2 * batch, 0);
  std::vector<int32_t> offsets(batch + 1), order(batch);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t s = 0; s <= batch; ++s) offsets[s] = static_cast<int32_t>(2 * s);
  const Sessions sessions{{items.data(), 2 * batch}, {offsets.data(), batch + 1}};
  trainer.epoch(sessions, {order.data(), batch}, Cancellation(), nullptr);
}

std::string size_text(int64_t bytes) {
  constexpr double kMega = 1e6, kGiga = 1e9;
  const double size = static_cast<double>(bytes);
  char text[32];
  std::snprintf(text, sizeof text, size < kGiga ? "%.1f MB" : "%.2f GB", size / (size < kGiga ? kMega : kGiga));
  return text;
}

}  // namespace

MemoryNeed measure_model(MemoryMeter& meter, const ModelSpec& model) {
  MemoryNeed need;
  const int64_t before = meter.allocated();
  const Parameters parameters(meter, model);
  need.tables = meter.allocated() - before;
  need.workspace = meter.workspace();
  return need;
}

MemoryNeed measure_training(MemoryMeter& meter, const ModelSpec& model, const TrainingSpec& training) {
  validate(training);
  MemoryNeed need;
  int64_t before = meter.allocated();
  /// What was allocated since the last call.
  const auto taken = [&] {
    const int64_t bytes = meter.allocated() - before;
    before = meter.allocated();
    return bytes;
  };
  Parameters parameters(meter, model);
  need.tables = taken();
  OptimiserState optimiser(parameters, training.optimiser);
  need.optimiser_state = taken();
  const SampleStore samples(meter, training, model.items, {});
  need.sample_store = taken();
  Trainer trainer(parameters, optimiser, training, {});  // it has a store of its own
  need.batch_buffers = taken() - need.sample_store;
  rehearse_step(trainer, training.batch);
  need.workspace = meter.workspace();
  return need;
}

void expect_room(const MemoryNeed& need, const Backend& backend) {
  const DeviceMemory memory = backend.memory();
  if (memory.total == 0 || need.total() <= memory.free) return;
  struct Part {
    const char* name;
    int64_t bytes;
    const char* options;
  };
  std::vector<Part> parts{
      {"tables", need.tables, "layers, embedding"},
      {"optimiser state", need.optimiser_state, "adapt, momentum"},
      {"batch buffers", need.batch_buffers, "batchSize, nSample, layers, bptt"},
      {"sample store", need.sample_store, backend.records() ? "" : "sampleStore"},  // only the table that draws
      {"workspace", need.workspace, "batchSize, nSample, layers, cublasPath"},
  };
  std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.bytes > b.bytes; });
  std::string list;
  for (const Part& part : parts) {
    if (part.bytes == 0) continue;
    list += (list.empty() ? "" : ", ") + std::string(part.name) + " " + size_text(part.bytes);
    if (*part.options != '\0') list += std::string(" (") + part.options + ")";
  }
  throw Error(ErrorCode::out_of_memory, "Expected " + size_text(need.total()) + " of free memory on " +
                                            backend.description() + " but " + size_text(memory.free) + " of " +
                                            size_text(memory.total) + " are free; it goes to: " + list +
                                            "; the options in brackets make it less");
}

}  // namespace gru4rec
