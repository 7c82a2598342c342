#pragma once

#include "backend/backend.h"

namespace gru4rec::cpu {

/// Memory of this machine, bounded by the limits of the process's cgroups (v2, then v1). What the system can take back
/// from its file cache counts as free. {0, 0} where the system does not say.
DeviceMemory system_memory();

}  // namespace gru4rec::cpu
