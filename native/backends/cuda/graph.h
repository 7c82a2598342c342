#pragma once

#include <memory>

#include "backend/backend.h"
#include "backends/cuda/stream.h"

namespace gru4rec::cuda {

/// Has `stream` and all streams that wait for it record what is enqueued on them, instead of running it. Other threads
/// may use the device meanwhile.
void begin_capture(cudaStream_t stream);
/// What was recorded, to be replayed on `stream`. Throws ErrorCode::device where it cannot be made a graph of.
std::unique_ptr<Recording> end_capture(cudaStream_t stream);
/// Ends a capture and forgets it and what was wrong with it.
void abandon_capture(cudaStream_t stream);

}  // namespace gru4rec::cuda
