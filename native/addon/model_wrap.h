#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "addon/job_queue.h"
#include "backend/registry.h"
#include "engine/optimiser_state.h"
#include "engine/parameters.h"
#include "engine/session_slots.h"
#include "engine/snapshot.h"
#include "engine/trainer.h"

namespace gru4rec::addon {

/// `NativeModel` of lib/native/addon.ts: a model, its back end and its queue of jobs.
class ModelWrap : public Napi::ObjectWrap<ModelWrap> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit ModelWrap(const Napi::CallbackInfo& info);

 private:
  Napi::Value tensors(const Napi::CallbackInfo& info);
  void read_tensor(const Napi::CallbackInfo& info);
  void write_tensor(const Napi::CallbackInfo& info);
  void allocate_optimiser(const Napi::CallbackInfo& info);
  Napi::Value initialise(const Napi::CallbackInfo& info);
  Napi::Value prepare_training(const Napi::CallbackInfo& info);
  Napi::Value train_epoch(const Napi::CallbackInfo& info);
  Napi::Value keep_weights(const Napi::CallbackInfo& info);
  Napi::Value restore_weights(const Napi::CallbackInfo& info);
  Napi::Value finish_training(const Napi::CallbackInfo& info);
  Napi::Value evaluate(const Napi::CallbackInfo& info);
  Napi::Value recommend(const Napi::CallbackInfo& info);
  Napi::Value predict(const Napi::CallbackInfo& info);
  Napi::Value open_slots(const Napi::CallbackInfo& info);
  Napi::Value next_in_slots(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  Napi::Value missing(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  void expect_alive(Napi::Env env) const;
  void expect_idle(Napi::Env env, const char* method) const;
  std::shared_ptr<Job> new_job(const Napi::CallbackInfo& info) const;
  /// Queues `job`; this object stays alive until it settles.
  Napi::Value add(const Napi::CallbackInfo& info, std::shared_ptr<Job> job, const Napi::Value& token);

  /// Session slots that JavaScript holds; they go when it lets them, or with the model.
  struct Slots {
    std::unique_ptr<SessionSlots> sessions;
  };

  /// What a disposed model no longer has.
  struct Engine {
    /// @param training  what is trained next: checked to fit before the tables are allocated.
    Engine(const ModelSpec& spec, const DeviceOptions& options, const std::optional<TrainingSpec>& training);
    ~Engine();
    /// Parameters, and the optimiser state where there is one.
    StoredTensors tensors() const;
    /// What goes into a snapshot: all that is kept after training.
    StoredTensors kept_tensors() const { return keep_optimiser ? tensors() : parameters.tensors(); }
    StoredTensor tensor(const std::string& name) const;

    /// Throw ErrorCode::out_of_memory where the device has no room for what is not yet allocated.
    void expect_room_for(const ModelSpec& spec, const std::optional<TrainingSpec>& training) const;
    void expect_room_to_train(const TrainingSpec& training, bool goes_on) const;

    DeviceOptions device;
    std::unique_ptr<Backend> backend;
    Parameters parameters;
    std::unique_ptr<OptimiserState> optimiser;
    std::unique_ptr<OptimiserState> previous_optimiser;  ///< what `optimiser` takes the place of in this training
    bool goes_on = false;                                ///< this training goes on from the state that was there
    bool keep_optimiser = false;                         ///< after training
    std::unique_ptr<Trainer> trainer;
    Snapshot last_epoch, best_epoch;
    std::vector<std::weak_ptr<Slots>> slots;
  };
  /// Queues `use` of the snapshot that info[0] names.
  Napi::Value with_snapshot(const Napi::CallbackInfo& info, void (*use)(Snapshot&, Engine&));
  static Snapshot& snapshot(Engine& engine, const Napi::Value& name);
  std::shared_ptr<Slots> read_slots(const Napi::Value& value) const;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<JobQueue> queue_;  ///< destroyed first: its jobs use the engine
};

}  // namespace gru4rec::addon
