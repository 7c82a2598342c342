#pragma once

#include "backend/memory_meter.h"
#include "core/model_spec.h"

namespace gru4rec {

/// Memory of a device that a model and its training take, in bytes.
struct MemoryNeed {
  int64_t tables = 0;           ///< parameters
  int64_t optimiser_state = 0;  ///< what the optimiser remembers of each parameter
  int64_t batch_buffers = 0;    ///< activations, scores and gradients of a step
  int64_t sample_store = 0;     ///< samples drawn ahead, and the tables they are drawn by
  int64_t workspace = 0;        ///< work space of the back end's operations

  int64_t total() const { return tables + optimiser_state + batch_buffers + sample_store + workspace; }
};

/// What training will take, found by a rehearsal: `meter` stands for the back end. Validation and recommendations take
/// their own buffers for the time of their calls.
MemoryNeed measure_training(MemoryMeter& meter, const ModelSpec& model, const TrainingSpec& training);
/// What a model takes that is not trained.
MemoryNeed measure_model(MemoryMeter& meter, const ModelSpec& model);

/// Throws ErrorCode::out_of_memory where `need` is more than `backend` has free: names the parts, what is free, and the
/// options that make each part smaller. Does nothing where what is free is not known.
void expect_room(const MemoryNeed& need, const Backend& backend);

}  // namespace gru4rec
