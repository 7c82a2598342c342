#pragma once

#include <napi.h>

namespace gru4rec::addon {

/// `listDevices` and `estimateMemory` of lib/native/addon.ts.
Napi::Value list_devices(const Napi::CallbackInfo& info);
Napi::Value estimate_memory(const Napi::CallbackInfo& info);

}  // namespace gru4rec::addon
