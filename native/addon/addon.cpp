#include <napi.h>

#include "addon/cancellation_wrap.h"
#include "addon/devices.h"
#include "addon/model_wrap.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Model", gru4rec::addon::ModelWrap::define(env));
  exports.Set("Cancellation", gru4rec::addon::CancellationWrap::define(env));
  exports.Set("listDevices", Napi::Function::New(env, gru4rec::addon::list_devices, "listDevices"));
  exports.Set("estimateMemory", Napi::Function::New(env, gru4rec::addon::estimate_memory, "estimateMemory"));
  return exports;
}

}  // namespace

NODE_API_MODULE(gru4rec, init)
