#include "addon/model_wrap.h"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "addon/arguments.h"
#include "backend/registry.h"
#include "engine/evaluator.h"
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

/// Runs `body` and turns the engine's exceptions into JavaScript's.
template <class F>
auto guarded(Napi::Env env, const F& body) {
  try {
    return body();
  } catch (const Error&) {
    throw make_error(env, std::current_exception());
  } catch (const std::bad_alloc&) {
    throw make_error(env, std::current_exception());
  }
}

}  // namespace

ModelWrap::Engine::Engine(const ModelSpec& spec, const std::string& device, int threads)
    : backend(create_backend(device, threads)), parameters(*backend, spec) {}

Napi::Function ModelWrap::define(Napi::Env env) {
  return DefineClass(env, "Model",
                     {
                         InstanceMethod<&ModelWrap::tensors>("tensors"),
                         InstanceMethod<&ModelWrap::read_tensor>("readTensor"),
                         InstanceMethod<&ModelWrap::write_tensor>("writeTensor"),
                         InstanceMethod<&ModelWrap::initialise>("initialise"),
                         InstanceMethod<&ModelWrap::prepare_training>("prepareTraining"),
                         InstanceMethod<&ModelWrap::train_epoch>("trainEpoch"),
                         InstanceMethod<&ModelWrap::finish_training>("finishTraining"),
                         InstanceMethod<&ModelWrap::evaluate>("evaluate"),
                         InstanceMethod<&ModelWrap::recommend>("recommend"),
                         InstanceMethod<&ModelWrap::predict>("predict"),
                         InstanceMethod<&ModelWrap::device>("device"),
                         InstanceMethod<&ModelWrap::dispose>("dispose"),
                     });
}

ModelWrap::ModelWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ModelWrap>(info) {
  const Napi::Env env = info.Env();
  const ModelSpec spec = read_model_spec(info[0]);
  const Napi::Object options = read_object(info[1], "the options");
  const std::string device = read_string(options, "device");
  const int threads = static_cast<int>(read_integer(options, "threads"));
  engine_ = guarded(env, [&] { return std::make_unique<Engine>(spec, device, threads); });
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
  const std::vector<TensorSpec>& tensors = engine_->parameters.layout().tensors();
  Napi::Array list = Napi::Array::New(env, tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    Napi::Object tensor = Napi::Object::New(env);
    tensor.Set("name", Napi::String::New(env, tensors[i].name));
    tensor.Set("rows", Napi::Number::New(env, static_cast<double>(tensors[i].rows)));
    tensor.Set("cols", Napi::Number::New(env, static_cast<double>(tensors[i].cols)));
    list.Set(static_cast<uint32_t>(i), tensor);
  }
  return list;
}

Napi::Value ModelWrap::read_tensor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_idle(env, "readTensor");
  const std::string name = info[0].ToString();
  return guarded(env, [&] {
    const TensorSpec& tensor = engine_->parameters.tensor(name);
    Napi::Float32Array values = Napi::Float32Array::New(env, static_cast<size_t>(tensor.size()));
    engine_->parameters.read(tensor, {values.Data(), tensor.size()});
    return values;
  });
}

void ModelWrap::write_tensor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_idle(env, "writeTensor");
  const std::string name = info[0].ToString();
  if (!info[1].IsTypedArray() || info[1].As<Napi::TypedArray>().TypedArrayType() != napi_float32_array)
    throw make_error(env, "ERR_ARGUMENT", "Expected the values of a tensor to be a Float32Array");
  const Napi::Float32Array values = info[1].As<Napi::Float32Array>();
  guarded(env, [&] {
    engine_->parameters.write(engine_->parameters.tensor(name),
                              {values.Data(), static_cast<int64_t>(values.ElementLength())});
  });
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
  expect_idle(env, "prepareTraining");
  const TrainingSpec spec = read_training_spec(info[0], engine_->parameters.spec());
  if (!info[1].IsTypedArray() || info[1].As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array)
    throw make_error(env, "ERR_ARGUMENT", "Expected support to be a Uint32Array");
  const auto support = std::make_shared<Pinned<uint32_t>>(info[1].As<Napi::Uint32Array>());
  if (support->span().size != engine_->parameters.spec().items)
    throw make_error(env, "ERR_ARGUMENT",
                     "Expected the support of " + std::to_string(engine_->parameters.spec().items) +
                         " items but received " + std::to_string(support->span().size));
  auto job = new_job(info);
  job->work = [this, spec, support](const std::shared_ptr<Job>&) {
    engine_->trainer.reset();
    engine_->trainer = std::make_unique<Trainer>(engine_->parameters, spec, support->span());
  };
  return add(info, std::move(job), env.Undefined());
}

Napi::Value ModelWrap::train_epoch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  expect_idle(env, "training");
  if (!engine_->trainer)
    throw make_error(env, "ERR_ARGUMENT", "Expected prepareTraining before trainEpoch but it was not called");
  const auto sessions = std::make_shared<PinnedSessions>(read_sessions(info[0]));
  const auto order = std::make_shared<Pinned<int32_t>>(read_int32_array(info[1], "order"));
  const auto progress = std::make_shared<Progress>();

  auto job = new_job(info);
  if (info[2].IsFunction())
    job->on_progress = std::make_shared<Napi::FunctionReference>(Napi::Persistent(info[2].As<Napi::Function>()));
  job->work = [this, sessions, order, progress](const std::shared_ptr<Job>& self) {
    check_sessions(sessions->view(), engine_->parameters.spec().items);
    check_indices("order", order->span(), sessions->view().count(), false);
    std::function<void(const Progress&)> report;
    if (self->on_progress)
      report = [this, weak = std::weak_ptr<Job>(self)](const Progress& now) {
        queue_->post([weak, now](Napi::Env loop) {
          if (const auto running = weak.lock()) report_progress(loop, *running, now);
        });
      };
    *progress = engine_->trainer->epoch(sessions->view(), order->span(), *self->cancellation, report);
  };
  job->result = [progress](Napi::Env loop) { return to_object(loop, *progress); };
  return add(info, std::move(job), info[3]);
}

void ModelWrap::finish_training(const Napi::CallbackInfo& info) {
  expect_idle(info.Env(), "finishTraining");
  engine_->trainer.reset();
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
  RecommendOptions options;
  options.k = read_integer(request, "k");
  options.restricted = !request.Get("candidates").IsUndefined();
  options.candidates = candidates->span();
  options.exclusion_starts = exclusions->offsets.span();
  options.exclusions = exclusions->items.span();
  const auto found = std::make_shared<Recommendations>();

  auto job = new_job(info);
  job->work = [this, sessions, candidates, exclusions, options, found](const std::shared_ptr<Job>& self) {
    const int64_t items = engine_->parameters.spec().items;
    if (options.k < 1 || options.k > items)
      throw Error(ErrorCode::argument, "Expected k to be an integer from 1 to " + std::to_string(items) +
                                           " but received " + std::to_string(options.k));
    check_sessions(sessions->view(), items);
    check_indices("candidates", options.candidates, items, true);
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
  const Napi::Float32Array scores =
      Napi::Float32Array::New(env, static_cast<size_t>(sessions->view().count() * columns));
  const auto pinned = std::make_shared<Pinned<float>>(scores);
  const auto kept = std::make_shared<Napi::ObjectReference>(Napi::Persistent(scores.As<Napi::Object>()));

  auto job = new_job(info);
  job->work = [this, sessions, items, pinned, columns](const std::shared_ptr<Job>& self) {
    check_sessions(sessions->view(), engine_->parameters.spec().items);
    check_indices("items", items->span(), engine_->parameters.spec().items, false);
    if (columns == 0) return;
    gru4rec::predict(engine_->parameters, sessions->view(), items->span(), pinned->span(), *self->cancellation);
  };
  job->result = [kept](Napi::Env) -> Napi::Value { return kept->Value(); };
  return add(info, std::move(job), info[2]);
}

Napi::Value ModelWrap::device(const Napi::CallbackInfo& info) {
  expect_alive(info.Env());
  return Napi::String::New(info.Env(), engine_->backend->description());
}

void ModelWrap::dispose(const Napi::CallbackInfo& info) {
  if (!engine_) return;
  expect_idle(info.Env(), "dispose");
  queue_.reset();
  engine_.reset();
}

}  // namespace gru4rec::addon
