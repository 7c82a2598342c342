#include "addon/arguments.h"

#include <cmath>
#include <limits>

#include "addon/job_queue.h"
#include "backend/backend.h"
#include "core/error.h"

namespace gru4rec::addon {

namespace {

const char* type_name(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_boolean:
      return "a boolean";
    case napi_number:
      return "a number";
    case napi_string:
      return "a string";
    case napi_function:
      return "a function";
    default:
      return "another object";
  }
}

[[noreturn]] void throw_argument(Napi::Env env, const char* name, const char* expected, const char* received) {
  throw make_error(env, "ERR_ARGUMENT",
                   std::string("Expected ") + name + " to be " + expected + " but received " + received);
}

/// A choice by name.
template <class T>
struct Choice {
  const char* name;
  T value;
};

template <class T, size_t N>
T read_choice(const Napi::Object& object, const char* name, const Choice<T> (&choices)[N]) {
  const std::string received = read_string(object, name);
  for (const Choice<T>& choice : choices)
    if (received == choice.name) return choice.value;
  throw_argument(object.Env(), name, "one of its names in lib/native/addon.ts", received.c_str());
}

constexpr Choice<ActivationKind> kActivations[] = {
    {"linear", ActivationKind::linear},   {"relu", ActivationKind::relu},
    {"tanh", ActivationKind::tanh},       {"leaky", ActivationKind::leaky},
    {"elu", ActivationKind::elu},         {"selu", ActivationKind::selu},
    {"softmax", ActivationKind::softmax}, {"softmax_logit", ActivationKind::softmax_logit},
};
constexpr Choice<EmbeddingMode> kEmbeddings[] = {
    {"none", EmbeddingMode::none}, {"separate", EmbeddingMode::separate}, {"shared", EmbeddingMode::shared}};
constexpr Choice<LossKind> kLosses[] = {
    {"cross-entropy", LossKind::cross_entropy},
    {"xe_logit", LossKind::xe_logit},
    {"bpr", LossKind::bpr},
    {"bpr-max", LossKind::bpr_max},
    {"top1", LossKind::top1},
    {"top1-max", LossKind::top1_max},
};
constexpr Choice<OptimiserKind> kOptimisers[] = {
    {"adagrad", OptimiserKind::adagrad},   {"sgd", OptimiserKind::sgd},   {"rmsprop", OptimiserKind::rmsprop},
    {"adadelta", OptimiserKind::adadelta}, {"adam", OptimiserKind::adam},
};
constexpr Choice<std::optional<Precision>> kPrecisions[] = {
    {"auto", std::nullopt}, {"float32", Precision::float32}, {"tf32", Precision::tf32}, {"bf16", Precision::bf16}};
constexpr Choice<std::optional<int64_t>> kStepsPerLaunch[] = {{"auto", std::nullopt}};
constexpr Choice<Ties> kTies[] = {
    {"standard", Ties::standard}, {"conservative", Ties::conservative}, {"median", Ties::median}};

float read_float(const Napi::Object& object, const char* name) { return static_cast<float>(read_number(object, name)); }

Activation read_activation(const Napi::Object& spec, const char* name) {
  const Napi::Object object = read_object(spec.Get(name), name);
  Activation activation;
  activation.kind = read_choice(object, "kind", kActivations);
  if (object.Has("alpha") && !object.Get("alpha").IsUndefined()) activation.alpha = read_float(object, "alpha");
  if (object.Has("lambda") && !object.Get("lambda").IsUndefined()) activation.lambda = read_float(object, "lambda");
  return activation;
}

void check_offsets(Span<const int32_t> offsets, int64_t events) {
  for (int64_t s = 0; s < offsets.size; ++s) {
    if (offsets[s] >= (s == 0 ? 0 : offsets[s - 1]) && offsets[s] <= events) continue;
    throw Error(ErrorCode::argument,
                "Expected session offsets that ascend from 0 to the number of events but received " +
                    std::to_string(offsets[s]) + " at position " + std::to_string(s));
  }
}

}  // namespace

Napi::Object read_object(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) throw_argument(value.Env(), name, "an object", type_name(value));
  return value.As<Napi::Object>();
}

double read_number(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) throw_argument(object.Env(), name, "a number", type_name(value));
  return value.As<Napi::Number>().DoubleValue();
}

int64_t read_integer(const Napi::Object& object, const char* name) {
  const double number = read_number(object, name);
  constexpr double kLargestSafe = 9007199254740991.0;
  if (!(std::fabs(number) <= kLargestSafe) || std::floor(number) != number)
    throw_argument(object.Env(), name, "a safe integer", std::to_string(number).c_str());
  return static_cast<int64_t>(number);
}

int64_t read_bigint(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  bool lossless = false;
  if (value.IsBigInt()) {
    const int64_t integer = value.As<Napi::BigInt>().Int64Value(&lossless);
    if (lossless) return integer;
  }
  throw_argument(object.Env(), name, "a bigint of 64 bits", type_name(value));
}

bool read_boolean(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsBoolean()) throw_argument(object.Env(), name, "a boolean", type_name(value));
  return value.As<Napi::Boolean>().Value();
}

std::string read_string(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsString()) throw_argument(object.Env(), name, "a string", type_name(value));
  return value.As<Napi::String>().Utf8Value();
}

Pinned<uint8_t> read_uint8_array(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw_argument(value.Env(), name, "a Uint8Array", type_name(value));
  return Pinned<uint8_t>(value.As<Napi::Uint8Array>());
}

Pinned<int32_t> read_int32_array(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array)
    throw_argument(value.Env(), name, "an Int32Array", type_name(value));
  return Pinned<int32_t>(value.As<Napi::Int32Array>());
}

Pinned<int32_t> read_optional_int32_array(const Napi::Value& value, const char* name) {
  return value.IsUndefined() ? Pinned<int32_t>() : read_int32_array(value, name);
}

DeviceOptions read_device_options(const Napi::Value& value) {
  const Napi::Object object = read_object(value, "the options");
  DeviceOptions options;
  options.device = read_string(object, "device");
  options.threads = static_cast<int>(read_integer(object, "threads"));
  options.cuda_library = read_string(object, "cudaLibrary");
  options.cublas_path = read_string(object, "cublasPath");
  return options;
}

ModelSpec read_model_spec(const Napi::Value& value) {
  const Napi::Object object = read_object(value, "the model specification");
  ModelSpec spec;
  spec.items = read_integer(object, "items");
  const Napi::Value layers = object.Get("layers");
  if (!layers.IsArray()) throw_argument(object.Env(), "layers", "an array", type_name(layers));
  const Napi::Array widths = layers.As<Napi::Array>();
  for (uint32_t l = 0; l < widths.Length(); ++l) {
    const Napi::Value width = widths.Get(l);
    if (!width.IsNumber()) throw_argument(object.Env(), "layers", "an array of numbers", type_name(width));
    spec.layers.push_back(width.As<Napi::Number>().Int64Value());
  }
  spec.embedding = read_choice(object, "embedding", kEmbeddings);
  spec.embedding_size = read_integer(object, "embeddingSize");
  spec.hidden_act = read_activation(object, "hiddenAct");
  spec.final_act = read_activation(object, "finalAct");
  spec.reset_after = read_boolean(object, "resetAfter");
  return spec;
}

TrainingSpec read_training_spec(const Napi::Value& value, const ModelSpec& model) {
  const Napi::Object object = read_object(value, "the training specification");
  TrainingSpec spec;
  spec.loss.kind = read_choice(object, "loss", kLosses);
  spec.loss.smoothing = read_float(object, "smoothing");
  spec.loss.bpreg = read_float(object, "bpreg");
  spec.loss.final_act = model.final_act;
  spec.optimiser.kind = read_choice(object, "optimiser", kOptimisers);
  spec.optimiser.learning_rate = read_float(object, "learningRate");
  spec.optimiser.momentum = read_float(object, "momentum");
  spec.optimiser.lmbd = read_float(object, "lmbd");
  spec.optimiser.decay = read_float(object, "decay");
  spec.optimiser.second_decay = read_float(object, "secondDecay");
  spec.batch = read_integer(object, "batchSize");
  spec.samples = read_integer(object, "nSample");
  spec.sample_alpha = read_number(object, "sampleAlpha");
  spec.sample_store = read_integer(object, "sampleStore");
  spec.logq = read_number(object, "logq");
  spec.dropout_embed = read_number(object, "dropoutEmbed");
  spec.dropout_hidden = read_number(object, "dropoutHidden");
  spec.grad_cap = read_number(object, "gradCap");
  spec.seed = static_cast<uint64_t>(read_integer(object, "seed"));
  spec.random_order = read_boolean(object, "randomOrder");
  spec.bptt = read_integer(object, "bptt");
  spec.precision = read_choice(object, "precision", kPrecisions);
  if (!object.Get("stepsPerLaunch").IsString()) {
    spec.steps_per_launch = read_integer(object, "stepsPerLaunch");
  } else {
    spec.steps_per_launch = read_choice(object, "stepsPerLaunch", kStepsPerLaunch);
  }
  return spec;
}

InitialWeights read_initial_weights(const Napi::Value& value) {
  const Napi::Object object = read_object(value, "the initial weights");
  return {read_number(object, "sigma"), read_boolean(object, "normal"),
          static_cast<uint64_t>(read_integer(object, "seed"))};
}

Ties read_ties(const Napi::Object& object) { return read_choice(object, "ties", kTies); }

PinnedSessions read_sessions(const Napi::Value& value) {
  const Napi::Object object = read_object(value, "sessions");
  return {read_int32_array(object.Get("items"), "sessions.items"),
          read_int32_array(object.Get("offsets"), "sessions.offsets")};
}

bool is_session_file(const Napi::Value& value) {
  return !read_object(read_object(value, "sessions").Get("items"), "sessions.items").IsTypedArray();
}

PinnedSessionFile read_session_file(const Napi::Value& value) {
  const Napi::Object object = read_object(value, "sessions");
  const Napi::Object items = read_object(object.Get("items"), "sessions.items");
  PinnedSessionFile pinned;
  pinned.offsets = read_int32_array(object.Get("offsets"), "sessions.offsets");
  pinned.places = read_int32_array(items.Get("places"), "sessions.items.places");
  pinned.index_of = read_optional_int32_array(items.Get("indexOf"), "sessions.items.indexOf");
  pinned.file = {read_string(items, "path"),
                 {read_integer(items, "size"), read_bigint(items, "modified")},
                 read_integer(items, "position"),
                 read_integer(items, "window"),
                 read_integer(items, "itemCount"),
                 pinned.places.span(),
                 pinned.offsets.span(),
                 pinned.index_of.span()};
  return pinned;
}

void check_indices(const char* name, Span<const int32_t> indices, int64_t count, bool ascending) {
  for (int64_t i = 0; i < indices.size; ++i) {
    const bool in_range = indices[i] >= 0 && indices[i] < count;
    if (in_range && (!ascending || i == 0 || indices[i] > indices[i - 1])) continue;
    throw Error(ErrorCode::argument, std::string("Expected ") + name + " to hold " + (ascending ? "ascending " : "") +
                                         "indices from 0 to " + std::to_string(count - 1) + " but received " +
                                         std::to_string(indices[i]) + " at position " + std::to_string(i));
  }
}

void check_sessions(const Sessions& sessions, int64_t item_count) {
  check_offsets(sessions.offsets, sessions.items.size);
  check_indices("session items", sessions.items, item_count, false);
}

void check_session_file(const SessionFile& sessions, int64_t item_count) {
  const auto check = [](bool fits, const char* expected) {
    if (!fits) throw Error(ErrorCode::argument, std::string("Expected sessions in a file to have ") + expected);
  };
  check(sessions.position >= 0 && sessions.window >= 1, "a position, and a window of one event or more");
  check_offsets(sessions.places, std::numeric_limits<int32_t>::max());
  check_offsets(sessions.offsets, std::numeric_limits<int32_t>::max());
  check(sessions.places.size == sessions.offsets.size && sessions.count() > 0, "as many places as offsets");
  if (sessions.index_of.empty()) {
    check(sessions.item_count == item_count, "the items of the model");
  } else {
    check(sessions.index_of.size == sessions.item_count, "an index for each of their items");
    for (const int32_t index : sessions.index_of) check(index >= kNoItem && index < item_count, "indices of the model");
  }
}

}  // namespace gru4rec::addon
