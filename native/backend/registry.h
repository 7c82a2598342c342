#pragma once

#include <memory>
#include <string>

#include "backend/backend.h"

namespace gru4rec {

/// Makes the back end of a device: "cpu", or "auto" for the best that is here.
/// @param threads  threads of the CPU back end; 0 = as many as the CPU quota of the process allows.
/// Throws ErrorCode::device for a device that is not here.
std::unique_ptr<Backend> create_backend(const std::string& device, int threads);

}  // namespace gru4rec
