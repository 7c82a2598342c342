#include "backends/cuda_library/cuda_proxy.h"

#include <dlfcn.h>

#include <map>
#include <mutex>

namespace gru4rec::cuda_library {

namespace {

void throw_failure(const Status& status) {
  if (status.failed) throw Error(status.code, status.message);
}

/// The first failure of a device. What was under way is lost with it, and mostly every later call fails as well, so
/// nothing is computed any more. A model's tensors may be read beside its jobs, so from any thread.
class Breakdown {
 public:
  /// Throws ErrorCode::device after a failure.
  void check() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (message_.empty()) return;
    throw Error(ErrorCode::device, "Expected a model whose device works but this one failed before: " + message_);
  }
  void note(const char* message) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (message_.empty()) message_ = message;
  }

 private:
  mutable std::mutex mutex_;
  std::string message_;
};

/// A back end whose operations run in the library. After a failure of the device every call gives ErrorCode::device
/// with the first message; memory can still be released.
class CudaProxy final : public Backend {
 private:
  /// Runs call(status) unless the device failed before, and throws what it says.
  template <class Call>
  auto answer(const Call& call) const {
    breakdown_.check();
    return answer_always(call);
  }

  template <class Call>
  auto answer_always(const Call& call) const {
    Status status;
    const auto result = call(&status);
    if (status.failed && status.code == ErrorCode::device) breakdown_.note(status.message);
    throw_failure(status);
    return result;
  }

  template <class... Parameters, class... Arguments>
  void call(void (*operation)(Handle*, Status*, Parameters...), Arguments&&... arguments) const {
    answer([&](Status* status) {
      operation(handle_, status, arguments...);
      return true;
    });
  }

 public:
  CudaProxy(const Table& table, const Options& options) : table_(table), handle_(create(table, options)) {}
  ~CudaProxy() override { table_.destroy(handle_); }
  CudaProxy(const CudaProxy&) = delete;
  CudaProxy& operator=(const CudaProxy&) = delete;

  std::string description() const override {
    Text<512> text;
    table_.description(handle_, &text);
    return text.characters;
  }
  Missing missing() const override {
    MissingText text;
    table_.missing(handle_, &text);
    return {text.problem.characters, text.wanted};
  }
  bool supports(Precision precision) const override { return table_.supports(handle_, precision); }
  void set_precision(Precision precision) override {
    Backend::set_precision(precision);  // a precision that is not there is no failure of the device
    call(table_.set_precision, precision);
  }
  DeviceMemory memory() const override {
    return answer([&](Status* status) { return table_.memory(handle_, status); });
  }
  void* allocate(int64_t bytes) override {
    return answer([&](Status* status) { return table_.allocate(handle_, status, bytes); });
  }
  /// What fails here was said by the operation that failed before.
  void release(void* memory) override {
    Status status;
    table_.release(handle_, &status, memory);
  }
  void upload(const void* host, int64_t bytes, void* device) override { call(table_.upload, host, bytes, device); }
  void download(const void* device, int64_t bytes, void* host) override { call(table_.download, device, bytes, host); }
  void upload_beside(const void* host, int64_t bytes, void* device) override {
    call(table_.upload_beside, host, bytes, device);
  }
  void start_read(int place, const void* device, int64_t bytes) override {
    call(table_.start_read, place, device, bytes);
  }
  void finish_read(int place, int64_t bytes, void* host) override { call(table_.finish_read, place, bytes, host); }
  bool records() const override { return true; }
  void begin_recording() override { call(table_.begin_recording); }
  std::unique_ptr<Recording> end_recording() override {
    // Also on a device that failed: other threads wait for it.
    return std::make_unique<ProxyRecording>(
        *this, answer_always([&](Status* status) { return table_.end_recording(handle_, status); }));
  }
  void abandon_recording() override {
    Status status;  // what failed before is what is told
    table_.abandon_recording(handle_, &status);
  }
  void enter(Branch branch) override { call(table_.enter, branch); }
  void leave() override { call(table_.leave); }
  void join(Branch branch) override { call(table_.join, branch); }
  void synchronize() override { call(table_.synchronize); }

 private:
  class ProxyRecording final : public Recording {
   public:
    ProxyRecording(const CudaProxy& backend, Recorded* recorded) : backend_(backend), recorded_(recorded) {}
    ~ProxyRecording() override { backend_.table_.destroy_recorded(backend_.handle_, recorded_); }
    ProxyRecording(const ProxyRecording&) = delete;
    ProxyRecording& operator=(const ProxyRecording&) = delete;
    void replay() override { backend_.call(backend_.table_.replay, recorded_); }

   private:
    const CudaProxy& backend_;
    Recorded* const recorded_;
  };

  void do_begin_step(const StepFeed& feed) override { call(table_.begin_step, feed); }
  void do_keep_step(Span<const int32_t> values, StepState* state, MatrixView<int32_t> rows) override {
    call(table_.keep_step, values, state, rows);
  }
  void do_fill(float value, Matrix out) override { call(table_.fill, value, out); }
  void do_copy(ConstMatrix from, Matrix out) override { call(table_.copy, from, out); }
  void do_gather_rows(ConstMatrix table, Span<const int32_t> rows, const Dropout& dropout, Matrix out) override {
    call(table_.gather_rows, table, rows, dropout, out);
  }
  void do_carry_state(ConstMatrix state, Span<const int32_t> source, Matrix out) override {
    call(table_.carry_state, state, source, out);
  }
  void do_dropout_backward(const Dropout& dropout, Matrix gradient) override {
    call(table_.dropout_backward, dropout, gradient);
  }
  void do_carry_items(Span<const int32_t> items, Span<const int32_t> source, Span<int32_t> out) override {
    call(table_.carry_items, items, source, out);
  }
  void do_add(ConstMatrix from, Matrix out) override { call(table_.add, from, out); }
  void do_multiply(ConstMatrix factor, Matrix out) override { call(table_.multiply, factor, out); }
  void do_gru_forward(const GruLayer& layer, ConstMatrix input_gates, const Dropout& dropout, const GruTrace& trace,
                      Matrix hidden) override {
    call(table_.gru_forward, layer, input_gates, dropout, trace, hidden);
  }
  void do_gru_backward(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout, Matrix gradient,
                       Matrix gate_gradients, Matrix input_gradient, Matrix state_gradient,
                       const GruGradients& gradients) override {
    call(table_.gru_backward, layer, trace, dropout, gradient, gate_gradients, input_gradient, state_gradient,
         gradients);
  }
  void do_draw_negatives(const SamplingTableView& table, const RandomStream& stream,
                         MatrixView<int32_t> samples) override {
    call(table_.draw_negatives, table, stream, samples);
  }
  void do_scores(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> items, const LogQ& logq,
                 Matrix out) override {
    call(table_.scores, hidden, weight, bias, items, logq, out);
  }
  void do_loss_gradient(const Loss& loss, int64_t divisor, const int32_t* active, Matrix scores,
                        Span<float> row_losses) override {
    call(table_.loss_gradient, loss, divisor, active, scores, row_losses);
  }
  void do_accumulate_loss(Span<const float> row_losses, int64_t divisor, StepState* state,
                          LossTotals* totals) override {
    call(table_.accumulate_loss, row_losses, divisor, state, totals);
  }
  void do_scores_backward(ConstMatrix score_gradient, ConstMatrix hidden, ConstMatrix weight, Span<const int32_t> items,
                          Matrix hidden_gradient, Matrix weight_gradient, Matrix bias_gradient) override {
    call(table_.scores_backward, score_gradient, hidden, weight, items, hidden_gradient, weight_gradient,
         bias_gradient);
  }
  void do_activate_scores(const Activation& activation, Matrix scores) override {
    call(table_.activate_scores, activation, scores);
  }
  void do_group_rows(Span<const int32_t> items, int64_t table_rows, const RowGroups& groups) override {
    call(table_.group_rows, items, table_rows, groups);
  }
  void do_add_squared_norm(ConstMatrix gradient, double* total) override {
    call(table_.add_squared_norm, gradient, total);
  }
  void do_add_squared_norm_rows(const RowGroups& groups, ConstMatrix gradient, double* total) override {
    call(table_.add_squared_norm_rows, groups, gradient, total);
  }
  void do_clip_scale(double cap, double* total, float* scale) override { call(table_.clip_scale, cap, total, scale); }
  void do_update_dense(const Optimiser& optimiser, ConstMatrix gradient, const float* scale,
                       const TrainableMatrix& dense) override {
    call(table_.update_dense, optimiser, gradient, scale, dense);
  }
  void do_update_rows(const Optimiser& optimiser, const RowGroups& groups, ConstMatrix gradient, const float* scale,
                      const TrainableMatrix& table) override {
    call(table_.update_rows, optimiser, groups, gradient, scale, table);
  }
  void do_target_ranks(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> targets,
                       const Candidates& candidates, Span<int32_t> greater, Span<int32_t> equal) override {
    call(table_.target_ranks, hidden, weight, bias, targets, candidates, greater, equal);
  }
  void do_top_k(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, int64_t k, const Candidates& candidates,
                const Exclusions& exclusions, Span<int32_t> items, Matrix scores, Span<float> log_sum_exp) override {
    call(table_.top_k, hidden, weight, bias, k, candidates, exclusions, items, scores, log_sum_exp);
  }

  static Handle* create(const Table& table, const Options& options) {
    Status status;
    Handle* handle = table.create(&options, &status);
    throw_failure(status);
    return handle;
  }

  const Table& table_;
  Handle* const handle_;
  mutable Breakdown breakdown_;
};

}  // namespace

const Table& load(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, const Table*> loaded;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = loaded.find(path);
  if (found != loaded.end()) return *found->second;

  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* problem = dlerror();
    throw Error(ErrorCode::device, "Expected the CUDA library " + path +
                                       " to load but received: " + (problem != nullptr ? problem : "no reason"));
  }
  const auto entry = reinterpret_cast<GetTable>(dlsym(library, kEntry));
  const Table* table = entry != nullptr ? entry() : nullptr;
  if (table == nullptr || table->abi != kAbi) {
    const std::string received = table == nullptr ? "another library" : "number " + std::to_string(table->abi);
    dlclose(library);
    throw Error(ErrorCode::device, "Expected a CUDA library " + path + " with the interface number " +
                                       std::to_string(kAbi) + " but received " + received);
  }
  loaded[path] = table;
  return *table;
}

std::unique_ptr<Backend> create_cuda_backend(const std::string& path, int device, const std::string& cublas_path) {
  Options options;
  options.device = device;
  options.cublas_path = cublas_path.c_str();
  return std::make_unique<CudaProxy>(load(path), options);
}

}  // namespace gru4rec::cuda_library
