#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "addon/job_queue.h"
#include "engine/parameters.h"
#include "engine/trainer.h"

namespace gru4rec::addon {

/// `NativeModel` of lib/native/addon.ts: a model, its back end and its queue of jobs.
class ModelWrap : public Napi::ObjectWrap<ModelWrap> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit ModelWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value tensors(const Napi::CallbackInfo& info);
  Napi::Value read_tensor(const Napi::CallbackInfo& info);
  void write_tensor(const Napi::CallbackInfo& info);
  Napi::Value initialise(const Napi::CallbackInfo& info);
  Napi::Value prepare_training(const Napi::CallbackInfo& info);
  Napi::Value train_epoch(const Napi::CallbackInfo& info);
  void finish_training(const Napi::CallbackInfo& info);
  Napi::Value evaluate(const Napi::CallbackInfo& info);
  Napi::Value recommend(const Napi::CallbackInfo& info);
  Napi::Value predict(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  void expect_alive(Napi::Env env) const;
  void expect_idle(Napi::Env env, const char* method) const;
  std::shared_ptr<Job> new_job(const Napi::CallbackInfo& info) const;
  /// Queues `job`; this object stays alive until it settles.
  Napi::Value add(const Napi::CallbackInfo& info, std::shared_ptr<Job> job, const Napi::Value& token);

  /// What a disposed model no longer has.
  struct Engine {
    Engine(const ModelSpec& spec, const std::string& device, int threads);
    std::unique_ptr<Backend> backend;
    Parameters parameters;
    std::unique_ptr<Trainer> trainer;
  };
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<JobQueue> queue_;  ///< destroyed first: its jobs use the engine
};

}  // namespace gru4rec::addon
