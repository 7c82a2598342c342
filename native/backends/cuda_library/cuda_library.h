#pragma once

#include <cstdint>
#include <type_traits>

#include "backend/backend.h"

/// The C interface of libgru4rec_cuda.so: what the engine and the CUDA back end, which may be built apart, agree on.
/// Only functions and trivially copied structs cross it: no exception, no virtual call, no memory that the other side
/// frees.
namespace gru4rec::cuda_library {

/// Changes with every change of this file, of the operations' arguments and of the structs in them.
constexpr int32_t kAbi = 6;
/// Name of the one function that the library exports, of type `GetTable`.
constexpr const char* kEntry = "gru4rec_cuda_library";

/// How a call ended.
struct Status {
  bool failed = false;
  ErrorCode code = ErrorCode::device;
  char message[2048] = {};
};

/// A text that the library fills in.
template <int kSize>
struct Text {
  char characters[kSize] = {};
};

/// What there is to compute on.
struct Driver {
  int32_t devices = 0;
  int32_t driver_version = 0;   ///< newest CUDA that the driver knows, 13000 = 13.0; 0 = no driver
  int32_t runtime_version = 0;  ///< CUDA that the library was built with
  Text<512> problem;            ///< why no device can be used; empty = there are devices
};

struct Device {
  Text<256> name;
  int64_t total_bytes = 0;
  int64_t free_bytes = 0;
  int32_t major = 0, minor = 0;  ///< compute capability
  Text<512> problem;             ///< why this device cannot be used; empty = it can
};

/// Where products of matrices come from.
struct Blas {
  int32_t version = 0;  ///< of cuBLAS; 0 = not found, the back end's own product is used
  Text<1024> path;      ///< where it was found
  Text<2048> problem;   ///< what was looked for where, when it was not found
};

/// Missing, for the table.
struct MissingText {
  Text<2048> problem;
  bool wanted = true;
};

struct Options {
  int32_t device = 0;
  const char* cublas_path = nullptr;  ///< null or empty = look for it
};

struct Handle;    ///< a back end inside the library
struct Recorded;  ///< a recording inside the library

/// One operation of the back end as a C function; reference arguments go as pointers.
template <class Method>
struct Operation;
template <class... Arguments>
struct Operation<void (Backend::*)(Arguments...)> {
  static_assert((std::is_trivially_copyable_v<std::remove_reference_t<Arguments>> && ...), "plain data only");
  using Function = void (*)(Handle*, Status*, Arguments...);
};
template <auto kMethod>
using Function = typename Operation<decltype(kMethod)>::Function;

/// Operations with the arguments of the Backend's method of that name.
// clang-format off
#define GRU4REC_CUDA_OPERATIONS(X) \
  X(fill) \
  X(copy) \
  X(gather_rows) \
  X(carry_state) \
  X(dropout_backward) \
  X(carry_items) \
  X(add) \
  X(multiply) \
  X(gru_forward) \
  X(gru_backward) \
  X(draw_negatives) \
  X(scores) \
  X(loss_gradient) \
  X(accumulate_loss) \
  X(scores_backward) \
  X(activate_scores) \
  X(group_rows) \
  X(add_squared_norm) \
  X(add_squared_norm_rows) \
  X(clip_scale) \
  X(update_dense) \
  X(update_rows) \
  X(target_ranks) \
  X(top_k) \
  X(set_precision) \
  X(begin_step) \
  X(keep_step) \
  X(enter) \
  X(leave) \
  X(join) \
  X(upload) \
  X(upload_beside) \
  X(start_read) \
  X(finish_read) \
  X(download) \
  X(synchronize) \
  X(release)
// clang-format on

/// The functions of the library. Every one but `destroy` writes `status`. Thread-safe where Backend is.
struct Table {
  int32_t abi = 0;
  void (*driver)(Driver* out) = nullptr;
  void (*device)(int32_t number, Device* out) = nullptr;
  void (*blas)(int32_t number, const char* cublas_path, Blas* out) = nullptr;  ///< of device `number`
  Handle* (*create)(const Options*, Status*) = nullptr;
  void (*destroy)(Handle*) = nullptr;
  void (*description)(Handle*, Text<512>* out) = nullptr;
  void (*missing)(Handle*, MissingText* out) = nullptr;
  bool (*supports)(Handle*, Precision) = nullptr;
  DeviceMemory (*memory)(Handle*, Status*) = nullptr;
  void* (*allocate)(Handle*, Status*, int64_t bytes) = nullptr;
  /// From here to end_recording or abandon_recording, one of which must follow, other threads' calls wait.
  void (*begin_recording)(Handle*, Status*) = nullptr;
  Recorded* (*end_recording)(Handle*, Status*) = nullptr;
  void (*abandon_recording)(Handle*, Status*) = nullptr;
  void (*replay)(Handle*, Status*, Recorded*) = nullptr;
  void (*destroy_recorded)(Handle*, Recorded*) = nullptr;
#define GRU4REC_MEMBER(name) Function<& Backend::name> name = nullptr;
  GRU4REC_CUDA_OPERATIONS(GRU4REC_MEMBER)
#undef GRU4REC_MEMBER
};

using GetTable = const Table* (*)();

}  // namespace gru4rec::cuda_library
