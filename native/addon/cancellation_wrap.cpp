#include "addon/cancellation_wrap.h"

#include <utility>

namespace gru4rec::addon {

Napi::Function CancellationWrap::define(Napi::Env env) {
  return DefineClass(env, "Cancellation", {InstanceMethod<&CancellationWrap::cancel>("cancel")});
}

void CancellationWrap::cancel(const Napi::CallbackInfo&) {
  cancellation_->cancel();
  if (const auto listener = std::exchange(listener_, nullptr)) listener();
}

}  // namespace gru4rec::addon
