#include "addon/model_wrap.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "addon/arguments.h"
#include "backend/registry.h"
#include "engine/evaluator.h"
#include "engine/memory_need.h"
#include "engine/recommender.h"

namespace gru4rec::addon {

namespace {

/// A new typed array with a copy of `values`.
template <class Array, class T>
Array copy_of(Napi::Env env, const std::vector<T>& values) {
  Array array = Array::New(env, values.size());
  if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(T));
  return array;
}

Napi::Object to_object(Napi::Env env, const Progress& progress) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("steps", Napi::Number::New(env, static_cast<double>(progress.steps)));
  object.Set("events", Napi::Number::New(env, static_cast<double>(progress.events)));
  object.Set("totalEvents", Napi::Number::New(env, static_cast<double>(progress.total_events)));
  object.Set("loss", Napi::Number::New(env, progress.loss));
  object.Set("seconds", Napi::Number::New(env, progress.seconds));
  return object;
}

/// A Float32Array that C++ fills on another thread.
class PinnedResult {
 public:
  /// Throws ERR_OUT_OF_MEMORY.
  PinnedResult(Napi::Env env, int64_t size) : PinnedResult(allocate(env, size)) {}
  Span<float> span() const { return pinned_.span(); }
  Napi::Value value() const { return reference_.Value(); }

 private:
  /// By JavaScript's constructor: the one of N-API ends the process where there is not enough memory.
  static Napi::Float32Array allocate(Napi::Env env, int64_t size) {
    try {
      const auto constructor = env.Global().Get("Float32Array").As<Napi::Function>();
      return constructor.New({Napi::Number::New(env, static_cast<double>(size))}).As<Napi::Float32Array>();
    } catch (const Napi::Error&) {
      throw make_error(env, "ERR_OUT_OF_MEMORY",
                       "Expected memory for " + std::to_string(size) + " scores but the system gave none");
    }
  }

  explicit PinnedResult(Napi::Float32Array array)
      : pinned_(array), reference_(Napi::Persistent(array.As<Napi::Object>())) {}

  Pinned<float> pinned_;
  Napi::ObjectReference reference_;
};

/// Elements of a tensor that readTensor and writeTensor were called with: (name, first, values).
struct TensorElements {
  StoredTensor tensor;
  int64_t first, count;
  void* host;
};

TensorElements read_elements(const Napi::CallbackInfo& info, StoredTensor tensor) {
  const bool counts = tensor.type == StoredTensor::Type::int32;
  if (!info[1].IsNumber()) throw make_error(info.Env(), "ERR_ARGUMENT", "Expected the first element as a number");
  if (!info[2].IsTypedArray() ||
      info[2].As<Napi::TypedArray>().TypedArrayType() != (counts ? napi_int32_array : napi_float32_array))
    throw make_error(info.Env(), "ERR_ARGUMENT",
                     "Expected the values of the tensor \"" + tensor.name + "\" as " +
                         (counts ? "an Int32Array" : "a Float32Array"));
  const auto values = info[2].As<Napi::TypedArray>();
  char* bytes = static_cast<char*>(values.ArrayBuffer().Data()) + values.ByteOffset();
  return {std::move(tensor), info[1].As<Napi::Number>().Int64Value(), static_cast<int64_t>(values.ElementLength()),
          bytes};
}

/// Sessions that are trained on: in memory, or in a file.
class TrainedSessions {
 public:
  explicit TrainedSessions(const Napi::Value& value) {
    if (is_session_file(value)) {
      file_ = read_session_file(value);
    } else {
      memory_ = read_sessions(value);
    }
  }

  /// Throws ErrorCode::argument where the sessions or their order are none of a model with so many items.
  void check(Span<const int32_t> order, int64_t items) const {
    if (file_) {
      check_session_file(file_->file, items);
    } else {
      check_sessions(memory_.view(), items);
    }
    check_indices("order", order, file_ ? file_->file.count() : memory_.view().count(), false);
  }

  Progress train(Trainer& trainer, Span<const int32_t> order, const Cancellation& cancellation,
                 const std::function<void(const Progress&)>& report) const {
    if (file_) return trainer.epoch(file_->file, order, cancellation, report);
    return trainer.epoch(memory_.view(), order, cancellation, report);
  }

 private:
  PinnedSessions memory_;
  std::optional<PinnedSessionFile> file_;
};

/// `options` with the device that "auto" or "cuda" takes.
DeviceOptions with_choice(DeviceOptions options) {
  options.device = choose_device(options);
  return options;
}

Napi::Value undefined(Napi::Env env) { return env.Undefined(); }

/// Tells the user how far the epoch is. What the callback throws becomes the failure of the job, and stops it.
void report_progress(Napi::Env env, Job& job, const Progress& progress) {
  if (job.user_failure) return;
  try {
    job.on_progress->Call({to_object(env, progress)});
  } catch (const Napi::Error& error) {
    job.user_failure = error;
    job.cancellation->cancel();
  }
}

}  // namespace

ModelWrap::Engine::Engine(const ModelSpec& spec, const DeviceOptions& options,
                          const std::optional<TrainingSpec>& training)
    : device(with_choice(options)),
      backend(create_backend(device)),
      parameters((expect_room_for(spec, training), *backend), spec) {}

void ModelWrap::Engine::expect_room_for(const ModelSpec& spec, const std::optional<TrainingSpec>& training) const {
  const std::unique_ptr<MemoryMeter> meter = create_memory_meter(device);
  const int64_t held = meter->workspace();  // by the back end, since it was made
  MemoryNeed need = training ? measure_training(*meter, spec, *training) : measure_model(*meter, spec);
  need.workspace -= held;
  expect_room(need, *backend);
}

void ModelWrap::Engine::expect_room_to_train(const TrainingSpec& training, bool goes_on) const {
  MemoryNeed need = measure_training(*create_memory_meter(device), parameters.spec(), training);
  need.tables = 0;  // they are there
  if (goes_on) need.optimiser_state = 0;
  need.workspace = 0;  // the back end holds that of all calls so far, maybe all of it
  expect_room(need, *backend);
}

ModelWrap::Engine::~Engine() {
  for (const std::weak_ptr<Slots>& weak : slots)
    if (const auto alive = weak.lock()) alive->sessions.reset();
}

StoredTensors ModelWrap::Engine::tensors() const {
  StoredTensors all = parameters.tensors();
  if (optimiser) {
    const StoredTensors state = optimiser->tensors();
    all.insert(all.end(), state.begin(), state.end());
  }
  return all;
}

StoredTensor ModelWrap::Engine::tensor(const std::string& name) const {
  for (StoredTensor& tensor : tensors())
    if (tensor.name == name) return std::move(tensor);
  throw Error(ErrorCode::argument, "Expected the name of a tensor of this model but received \"" + name + "\"");
}

Snapshot& ModelWrap::snapshot(Engine& engine, const Napi::Value& name) {
  const std::string which = name.ToString();
  if (which == "last") return engine.last_epoch;
  if (which == "best") return engine.best_epoch;
  throw make_error(name.Env(), "ERR_ARGUMENT", "Expected \"last\" or \"best\" but received \"" + which + "\"");
}

Napi::Function ModelWrap::define(Napi::Env env) {
  return DefineClass(env, "Model",
                     {
                         InstanceMethod<&ModelWrap::tensors>("tensors"),
                         InstanceMethod<&ModelWrap::read_tensor>("readTensor"),
                         InstanceMethod<&ModelWrap::write_tensor>("writeTensor"),
                         InstanceMethod<&ModelWrap::allocate_optimiser>("allocateOptimiser"),
                         InstanceMethod<&ModelWrap::initialise>("initialise"),
                         InstanceMethod<&ModelWrap::prepare_training>("prepareTraining"),
                         InstanceMethod<&ModelWrap::train_epoch>("trainEpoch"),
                         InstanceMethod<&ModelWrap::keep_weights>("keepWeights"),
                         InstanceMethod<&ModelWrap::restore_weights>("restoreWeights"),
                         InstanceMethod<&ModelWrap::finish_training>("finishTraining"),
                         InstanceMethod<&ModelWrap::evaluate>("evaluate"),
                         InstanceMethod<&ModelWrap::recommend>("recommend"),
                         InstanceMethod<&ModelWrap::predict>("predict"),
                         InstanceMethod<&ModelWrap::open_slots>("openSlots"),
                         InstanceMethod<&ModelWrap::next_in_slots>("nextInSlots"),
                         InstanceMethod<&ModelWrap::device>("device"),
                         InstanceMethod<&ModelWrap::missing>("missing"),
                         InstanceMethod<&ModelWrap::dispose>("dispose"),
                     });
}

ModelWrap::ModelWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ModelWrap>(info) {
  const Napi::Env env = info.Env();
  const ModelSpec spec = read_model_spec(info[0]);
  const DeviceOptions options = read_device_options(info[1]);
  std::optional<TrainingSpec> training;
  if (!info[2].IsUndefined()) training = read_training_spec(info[2], spec);
  engine_ = guarded(env, [&] { return std::make_unique<Engine>(spec, options, training); });
  queue_ = std::make_unique<JobQueue>(env);
}

void ModelWrap::expect_alive(Napi::Env env) const {
  if (!engine_) throw make_error(env, "ERR_DISPOSED", "Expected a model that is in use but this one was disposed");
}

void ModelWrap::expect_idle(Napi::Env env, const char* method) const {
  expect_alive(env);
  if (queue_->busy())
    throw make_error(env, "ERR_BUSY",
                     std::string("Expected an idle model for ") + method + " but another call on it is under way");
}

std::shared_ptr<Job> ModelWrap::new_job(const Napi::CallbackInfo& info) const {
  auto job = std::make_shared<Job>(info.Env());
  job->result = undefined;
  return job;
}

Napi::Value ModelWrap::add(const Napi::CallbackInfo& info, std::shared_ptr<Job> job, const Napi::Value& token) {
  job->owner = Napi::Persistent(info.This().As<Napi::Object>());
  CancellationWrap* cancellation =
      token.IsUndefined() ? nullptr : CancellationWrap::Unwrap(read_object(token, "the cancellation"));
  return queue_->add(std::move(job), cancellation);
}

Napi::Value ModelWrap::tensors(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_alive(env);
  const StoredTensors tensors = engine_->tensors();
  Napi::Array list = Napi::Array::New(env, tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    Napi::Object tensor = Napi::Object::New(env);
    tensor.Set("name", Napi::String::New(env, tensors[i].name));
    tensor.Set("dtype", Napi::String::New(env, tensors[i].type == StoredTensor::Type::int32 ? "I32" : "F32"));
    tensor.Set("rows", Napi::Number::New(env, static_cast<double>(tensors[i].rows)));
    tensor.Set("cols", Napi::Number::New(env, static_cast<double>(tensors[i].cols)));
    list.Set(static_cast<uint32_t>(i), tensor);
  }
  return list;
}

void ModelWrap::read_tensor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_alive(env);
  guarded(env, [&] {
    const TensorElements elements = read_elements(info, engine_->tensor(info[0].ToString()));
    elements.tensor.read(*engine_->backend, elements.first, elements.count, elements.host);
  });
}

void ModelWrap::write_tensor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_idle(env, "writeTensor");
  guarded(env, [&] {
    const TensorElements elements = read_elements(info, engine_->tensor(info[0].ToString()));
    elements.tensor.write(*engine_->backend, elements.first, elements.count, elements.host);
  });
}

void ModelWrap::allocate_optimiser(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_idle(env, "allocateOptimiser");
  const Optimiser optimiser = read_training_spec(info[0], engine_->parameters.spec()).optimiser;
  engine_->trainer.reset();
  guarded(env, [&] { engine_->optimiser = std::make_unique<OptimiserState>(engine_->parameters, optimiser); });
}

Napi::Value ModelWrap::initialise(const Napi::CallbackInfo& info) {
  expect_idle(info.Env(), "initialise");
  auto job = new_job(info);
  job->work = [this, how = read_initial_weights(info[0])](const std::shared_ptr<Job>&) {
    engine_->parameters.initialise(how);
  };
  return add(info, std::move(job), info.Env().Undefined());
}

Napi::Value ModelWrap::prepare_training(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_alive(env);
  const TrainingSpec spec = read_training_spec(info[0], engine_->parameters.spec());
  if (!info[1].IsTypedArray() || info[1].As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array)
    throw make_error(env, "ERR_ARGUMENT", "Expected support to be a Uint32Array");
  const auto support = std::make_shared<Pinned<uint32_t>>(info[1].As<Napi::Uint32Array>());
  if (support->span().size != engine_->parameters.spec().items)
    throw make_error(env, "ERR_ARGUMENT",
                     "Expected the support of " + std::to_string(engine_->parameters.spec().items) +
                         " items but received " + std::to_string(support->span().size));
  const Napi::Object object = read_object(info[2], "the options");
  const TrainingPosition position{static_cast<uint64_t>(read_integer(object, "steps")),
                                  static_cast<uint64_t>(read_integer(object, "epochs"))};
  const bool keep_optimiser = read_boolean(object, "keepOptimiser");
  auto job = new_job(info);
  job->work = [engine = engine_.get(), spec, support, position, keep_optimiser](const std::shared_ptr<Job>&) {
    // All that may fail comes first: then nothing has changed.
    const bool goes_on = engine->optimiser && engine->optimiser->suits(spec.optimiser);
    engine->expect_room_to_train(spec, goes_on);
    std::unique_ptr<OptimiserState> fresh;
    if (!goes_on) fresh = std::make_unique<OptimiserState>(engine->parameters, spec.optimiser);
    OptimiserState& state = goes_on ? *engine->optimiser : *fresh;
    engine->trainer = std::make_unique<Trainer>(engine->parameters, state, spec, support->span(), position);
    state.set(spec.optimiser);
    engine->goes_on = goes_on;
    engine->keep_optimiser = keep_optimiser;
    if (fresh) {
      engine->previous_optimiser = std::move(engine->optimiser);
      engine->optimiser = std::move(fresh);
    }
  };
  return add(info, std::move(job), env.Undefined());
}

Napi::Value ModelWrap::train_epoch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_alive(env);
  const auto sessions = std::make_shared<TrainedSessions>(info[0]);
  const auto order = std::make_shared<Pinned<int32_t>>(read_int32_array(info[1], "order"));
  const Napi::Object options = read_object(info[2], "the options");
  const auto learning_rate = static_cast<float>(read_number(options, "learningRate"));
  const Napi::Value restore = options.Get("restore");
  const Snapshot* kept = restore.IsUndefined() ? nullptr : &snapshot(*engine_, restore);
  const auto progress = std::make_shared<Progress>();

  auto job = new_job(info);
  if (options.Get("onProgress").IsFunction())
    job->on_progress =
        std::make_shared<Napi::FunctionReference>(Napi::Persistent(options.Get("onProgress").As<Napi::Function>()));
  job->work = [this, sessions, order, learning_rate, kept, progress](const std::shared_ptr<Job>& self) {
    if (!engine_->trainer)
      throw Error(ErrorCode::argument, "Expected prepareTraining before trainEpoch but it was not called");
    sessions->check(order->span(), engine_->parameters.spec().items);
    std::function<void(const Progress&)> report;
    if (self->on_progress)
      report = [this, weak = std::weak_ptr<Job>(self)](const Progress& now) {
        queue_->post([weak, now](Napi::Env loop) {
          if (const auto running = weak.lock()) report_progress(loop, *running, now);
        });
      };
    engine_->trainer->set_learning_rate(learning_rate);
    try {
      *progress = sessions->train(*engine_->trainer, order->span(), *self->cancellation, report);
    } catch (...) {
      // Here, so that no call behind this one sees the weights of half an epoch.
      try {
        if (kept != nullptr) kept->restore(*engine_->backend, engine_->kept_tensors());
      } catch (const Error&) {
        // The device has failed, which is what is said below; the model cannot be used any more.
      }
      throw;
    }
  };
  job->result = [progress](Napi::Env loop) { return to_object(loop, *progress); };
  return add(info, std::move(job), info[3]);
}

Napi::Value ModelWrap::keep_weights(const Napi::CallbackInfo& info) {
  return with_snapshot(info, [](Snapshot& kept, Engine& engine) { kept.take(*engine.backend, engine.kept_tensors()); });
}

Napi::Value ModelWrap::restore_weights(const Napi::CallbackInfo& info) {
  return with_snapshot(info,
                       [](Snapshot& kept, Engine& engine) { kept.restore(*engine.backend, engine.kept_tensors()); });
}

Napi::Value ModelWrap::with_snapshot(const Napi::CallbackInfo& info, void (*use)(Snapshot&, Engine&)) {
  expect_alive(info.Env());
  auto job = new_job(info);
  job->work = [engine = engine_.get(), &kept = snapshot(*engine_, info[0]), use](const std::shared_ptr<Job>&) {
    use(kept, *engine);
  };
  return add(info, std::move(job), info.Env().Undefined());
}

Napi::Value ModelWrap::finish_training(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_alive(env);
  const bool trained = info[0].ToBoolean();
  auto job = new_job(info);
  job->work = [engine = engine_.get(), trained](const std::shared_ptr<Job>&) {
    if (engine->trainer) {
      engine->trainer.reset();
      if (!trained && !engine->goes_on)
        engine->optimiser = std::move(engine->previous_optimiser);
      else if (!engine->keep_optimiser)
        engine->optimiser.reset();
    }
    engine->previous_optimiser.reset();
    engine->last_epoch = {};
    engine->best_epoch = {};
  };
  return add(info, std::move(job), env.Undefined());
}

Napi::Value ModelWrap::evaluate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_alive(env);
  const auto sessions = std::make_shared<PinnedSessions>(read_sessions(info[0]));
  const Napi::Object object = read_object(info[1], "the options");
  const auto candidates =
      std::make_shared<Pinned<int32_t>>(read_optional_int32_array(object.Get("candidates"), "candidates"));
  EvaluationOptions options;
  options.ties = read_ties(object);
  options.batch = read_integer(object, "batchSize");
  options.restricted = !object.Get("candidates").IsUndefined();
  options.candidates = candidates->span();
  const auto ranks = std::make_shared<std::vector<double>>();

  auto job = new_job(info);
  job->work = [this, sessions, candidates, options, ranks](const std::shared_ptr<Job>& self) {
    check_sessions(sessions->view(), engine_->parameters.spec().items);
    check_indices("candidates", options.candidates, engine_->parameters.spec().items, true);
    *ranks = gru4rec::evaluate(engine_->parameters, sessions->view(), options, *self->cancellation);
  };
  job->result = [ranks](Napi::Env loop) { return copy_of<Napi::Float64Array>(loop, *ranks); };
  return add(info, std::move(job), info[2]);
}

Napi::Value ModelWrap::recommend(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_alive(env);
  const Napi::Object request = read_object(info[0], "the request");
  const auto sessions = std::make_shared<PinnedSessions>(read_sessions(request.Get("sessions")));
  const auto candidates =
      std::make_shared<Pinned<int32_t>>(read_optional_int32_array(request.Get("candidates"), "candidates"));
  auto exclusions = std::make_shared<PinnedSessions>();
  if (!request.Get("exclusions").IsUndefined()) {
    const Napi::Object object = read_object(request.Get("exclusions"), "exclusions");
    *exclusions = {read_int32_array(object.Get("items"), "exclusions.items"),
                   read_int32_array(object.Get("starts"), "exclusions.starts")};
  }
  const auto candidate_starts =
      std::make_shared<Pinned<int32_t>>(read_optional_int32_array(request.Get("candidateStarts"), "candidateStarts"));
  RecommendOptions options;
  options.k = read_integer(request, "k");
  options.candidate_starts = candidate_starts->span();
  options.restricted = !request.Get("candidates").IsUndefined();
  options.candidates = candidates->span();
  options.exclusion_starts = exclusions->offsets.span();
  options.exclusions = exclusions->items.span();
  const auto found = std::make_shared<Recommendations>();

  auto job = new_job(info);
  job->work = [this, sessions, candidates, candidate_starts, exclusions, options,
               found](const std::shared_ptr<Job>& self) {
    const int64_t items = engine_->parameters.spec().items;
    if (options.k < 1 || options.k > items)
      throw Error(ErrorCode::argument, "Expected k to be an integer from 1 to " + std::to_string(items) +
                                           " but received " + std::to_string(options.k));
    check_sessions(sessions->view(), items);
    if (options.candidate_starts.empty()) {
      check_indices("candidates", options.candidates, items, true);
    } else {
      const Sessions own{options.candidates, options.candidate_starts};
      check_sessions(own, items);
      if (own.count() != sessions->view().count())
        throw Error(ErrorCode::argument, "Expected the candidates of every session");
    }
    check_sessions(exclusions->view(), items);
    if (!options.exclusion_starts.empty() && exclusions->view().count() != sessions->view().count())
      throw Error(ErrorCode::argument, "Expected the exclusions of every session");
    *found = gru4rec::recommend(engine_->parameters, sessions->view(), options, *self->cancellation);
  };
  job->result = [found](Napi::Env loop) -> Napi::Value {
    Napi::Object object = Napi::Object::New(loop);
    object.Set("items", copy_of<Napi::Int32Array>(loop, found->items));
    object.Set("scores", copy_of<Napi::Float32Array>(loop, found->scores));
    return object;
  };
  return add(info, std::move(job), info[1]);
}

Napi::Value ModelWrap::predict(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_alive(env);
  const auto sessions = std::make_shared<PinnedSessions>(read_sessions(info[0]));
  const auto items = std::make_shared<Pinned<int32_t>>(read_optional_int32_array(info[1], "items"));
  const bool all = info[1].IsUndefined();
  const int64_t columns = all ? engine_->parameters.spec().items : items->span().size;
  const auto scores = std::make_shared<PinnedResult>(env, sessions->view().count() * columns);

  auto job = new_job(info);
  job->work = [this, sessions, items, scores, columns](const std::shared_ptr<Job>& self) {
    check_sessions(sessions->view(), engine_->parameters.spec().items);
    check_indices("items", items->span(), engine_->parameters.spec().items, false);
    if (columns == 0) return;
    gru4rec::predict(engine_->parameters, sessions->view(), items->span(), scores->span(), *self->cancellation);
  };
  job->result = [scores](Napi::Env) { return scores->value(); };
  return add(info, std::move(job), info[2]);
}

Napi::Value ModelWrap::open_slots(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_alive(env);
  if (!info[0].IsNumber() || info[0].As<Napi::Number>().Int64Value() < 1)
    throw make_error(env, "ERR_ARGUMENT", "Expected the number of slots to be at least 1");
  const int64_t count = info[0].As<Napi::Number>().Int64Value();
  auto slots = std::make_shared<Slots>();
  auto& known = engine_->slots;
  known.erase(std::remove_if(known.begin(), known.end(), [](const auto& weak) { return weak.expired(); }), known.end());
  known.push_back(slots);
  auto job = new_job(info);
  job->work = [engine = engine_.get(), slots, count](const std::shared_ptr<Job>&) {
    slots->sessions = std::make_unique<SessionSlots>(engine->parameters, count);
  };
  job->result = [slots](Napi::Env loop) -> Napi::Value {
    using Handle = std::shared_ptr<Slots>;
    return Napi::External<Handle>::New(loop, new Handle(slots), [](Napi::Env, Handle* handle) { delete handle; });
  };
  return add(info, std::move(job), env.Undefined());
}

std::shared_ptr<ModelWrap::Slots> ModelWrap::read_slots(const Napi::Value& value) const {
  if (!value.IsExternal()) throw make_error(value.Env(), "ERR_ARGUMENT", "Expected what openSlots gave");
  const std::shared_ptr<Slots> slots = *value.As<Napi::External<std::shared_ptr<Slots>>>().Data();
  if (!slots->sessions) throw make_error(value.Env(), "ERR_DISPOSED", "Expected slots of a model that is in use");
  return slots;
}

Napi::Value ModelWrap::next_in_slots(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_alive(env);
  const std::shared_ptr<Slots> slots = read_slots(info[0]);
  const Napi::Object object = read_object(info[1], "the events");
  const auto input = std::make_shared<Pinned<int32_t>>(read_int32_array(object.Get("input"), "input"));
  const auto starts = std::make_shared<Pinned<uint8_t>>(read_uint8_array(object.Get("starts"), "starts"));
  const auto items = std::make_shared<Pinned<int32_t>>(read_optional_int32_array(object.Get("items"), "items"));
  const int64_t count = slots->sessions->slots();
  if (input->span().size != count || starts->span().size != count)
    throw make_error(env, "ERR_ARGUMENT", "Expected an event for each of " + std::to_string(count) + " slots");
  const bool all = object.Get("items").IsUndefined();
  const int64_t columns = all ? engine_->parameters.spec().items : items->span().size;
  if (columns == 0) throw make_error(env, "ERR_ARGUMENT", "Expected at least one item to score");
  const auto scores = std::make_shared<PinnedResult>(env, count * columns);

  auto job = new_job(info);
  job->work = [this, slots, input, starts, items, scores](const std::shared_ptr<Job>& self) {
    const int64_t known = engine_->parameters.spec().items;
    for (int32_t item : input->span())
      if (item >= known) throw Error(ErrorCode::argument, "Expected items of the model in the slots");
    check_indices("items", items->span(), known, false);
    slots->sessions->next(input->span(), starts->span(), items->span(), scores->span(), *self->cancellation);
  };
  job->result = [scores](Napi::Env) { return scores->value(); };
  return add(info, std::move(job), info[2]);
}

Napi::Value ModelWrap::device(const Napi::CallbackInfo& info) {
  expect_alive(info.Env());
  return Napi::String::New(info.Env(), engine_->backend->description());
}

Napi::Value ModelWrap::missing(const Napi::CallbackInfo& info) {
  expect_alive(info.Env());
  const Missing missing = engine_->backend->missing();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("problem", missing.problem);
  object.Set("wanted", missing.wanted);
  return object;
}

void ModelWrap::dispose(const Napi::CallbackInfo& info) {
  if (!engine_) return;
  expect_idle(info.Env(), "dispose");
  queue_.reset();
  engine_.reset();
}

}  // namespace gru4rec::addon
