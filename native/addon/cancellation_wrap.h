#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "engine/cancellation.h"

namespace gru4rec::addon {

/// `NativeCancellation` of lib/native/addon.ts: stops the one call that it was given to.
class CancellationWrap : public Napi::ObjectWrap<CancellationWrap> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit CancellationWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<CancellationWrap>(info) {}

  std::shared_ptr<Cancellation> cancellation() const { return cancellation_; }
  /// `listener` runs on the event loop's thread when the call is cancelled.
  void on_cancel(std::function<void()> listener) { listener_ = std::move(listener); }

 private:
  void cancel(const Napi::CallbackInfo& info);

  std::shared_ptr<Cancellation> cancellation_ = std::make_shared<Cancellation>();
  std::function<void()> listener_;
};

}  // namespace gru4rec::addon
