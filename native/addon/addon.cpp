#include <napi.h>

#include "addon/cancellation_wrap.h"
#include "addon/model_wrap.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Model", gru4rec::addon::ModelWrap::define(env));
  exports.Set("Cancellation", gru4rec::addon::CancellationWrap::define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(gru4rec, init)
