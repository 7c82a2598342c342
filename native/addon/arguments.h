#pragma once

#include <napi.h>

#include <string>

#include "backend/registry.h"
#include "core/matrix.h"
#include "core/model_spec.h"
#include "core/parameter_layout.h"
#include "core/sessions.h"
#include "engine/evaluator.h"
#include "engine/session_file/session_file.h"

namespace gru4rec::addon {

/// A typed array of JavaScript's that C++ reads on another thread: kept alive, not copied. Made and destroyed on the
/// event loop's thread.
template <class T>
class Pinned {
 public:
  Pinned() = default;
  explicit Pinned(Napi::TypedArrayOf<T> array)
      : reference_(Napi::Persistent(array.template As<Napi::Object>())),
        span_(array.Data(), static_cast<int64_t>(array.ElementLength())) {}
  Span<T> span() const { return span_; }

 private:
  Napi::ObjectReference reference_;
  Span<T> span_;
};

/// Readers of the shapes of lib/native/addon.ts. They throw a JavaScript error with code ERR_ARGUMENT that names the
/// argument, what was expected and the type that was received.
Napi::Object read_object(const Napi::Value& value, const char* name);
double read_number(const Napi::Object& object, const char* name);
int64_t read_integer(const Napi::Object& object, const char* name);
bool read_boolean(const Napi::Object& object, const char* name);
std::string read_string(const Napi::Object& object, const char* name);
Pinned<uint8_t> read_uint8_array(const Napi::Value& value, const char* name);
Pinned<int32_t> read_int32_array(const Napi::Value& value, const char* name);
/// An empty array where `value` is undefined.
Pinned<int32_t> read_optional_int32_array(const Napi::Value& value, const char* name);

DeviceOptions read_device_options(const Napi::Value& value);
ModelSpec read_model_spec(const Napi::Value& value);
TrainingSpec read_training_spec(const Napi::Value& value, const ModelSpec& model);
InitialWeights read_initial_weights(const Napi::Value& value);
Ties read_ties(const Napi::Object& object);

/// Sessions whose arrays JavaScript owns.
struct PinnedSessions {
  Pinned<int32_t> items, offsets;
  Sessions view() const { return {items.span(), offsets.span()}; }
};
PinnedSessions read_sessions(const Napi::Value& value);

/// Sessions to train on whose items are in a file.
struct PinnedSessionFile {
  SessionFile file;  ///< with views of these
  Pinned<int32_t> offsets, places, index_of;
};
/// Whether the items of the sessions `value` are in a file.
bool is_session_file(const Napi::Value& value);
PinnedSessionFile read_session_file(const Napi::Value& value);

/// Checks what C++ would otherwise run into: offsets ascend inside the items, and items are below `item_count`. Throws
/// gru4rec::Error (argument).
void check_sessions(const Sessions& sessions, int64_t item_count);
/// The same of sessions in a file, whose items are checked when they are read.
void check_session_file(const SessionFile& sessions, int64_t item_count);
/// Checks that `indices` are from 0 to `count` - 1, and that they ascend without repeats where `ascending`.
void check_indices(const char* name, Span<const int32_t> indices, int64_t count, bool ascending);

}  // namespace gru4rec::addon
