#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/matrix.h"
#include "core/model_spec.h"
#include "core/philox.h"
#include "core/sampling_table.h"

namespace gru4rec {

/// Parameters of one GRU layer, H hidden units and `in` inputs; the layout is that of LayerTensors.
struct GruLayer {
  ConstMatrix candidate;              ///< [H + in, H]
  ConstMatrix gates;                  ///< [in + H, 2H]
  ConstMatrix bias;                   ///< [1, 3H]: candidate, reset, update
  ConstMatrix candidate_hidden_bias;  ///< [1, H] = the layer resets after the product; empty = before it
  Activation activation;

  int64_t hidden() const { return candidate.cols; }
  int64_t in() const { return candidate.rows - candidate.cols; }
  bool reset_after() const { return !candidate_hidden_bias.empty(); }
};

/// Where the gradients of one layer's parameters go; the shapes are those of GruLayer.
struct GruGradients {
  Matrix candidate, gates, bias, candidate_hidden_bias;
  bool add = false;  ///< to what is there, instead of overwriting it
};

/// What one forward step of a layer reads and leaves for its backward step.
struct GruTrace {
  /// [M, H + in + H]: reset state | input | hidden state. Input and hidden state are filled by the caller, the reset
  /// state by gru_forward: r * h where the layer resets before the product, h Whc + bhc where it resets after.
  Matrix joined;
  Matrix gates;  ///< [M, 3H]: candidate, reset and update gate, activated
};

/// Log-popularity correction of training scores: column j loses coefficient * log_support[item of j].
struct LogQ {
  const float* log_support = nullptr;  ///< [items]; null = no correction
  float target_coefficient = 0.0f;     ///< logq, for the first `targets` columns
  float sample_coefficient = 0.0f;     ///< logq * sample_alpha, for the others
  int64_t targets = 0;
};

/// The items of one step, grouped: which rows of the step belong to the same item. Lives in device memory.
struct RowGroups {
  int32_t* count = nullptr;  ///< [1], number of distinct items G
  Span<int32_t> item;        ///< [n], the first G are the distinct items
  Span<int32_t> start;       ///< [n + 1], group g holds occurrence[start[g] .. start[g + 1])
  Span<int32_t> occurrence;  ///< [n], row numbers, ascending within a group
};

/// A parameter matrix with its optimiser state, all of one shape; states that the optimiser does not use are empty.
struct TrainableMatrix {
  Matrix value;
  Matrix first;     ///< adagrad, rmsprop, adadelta: squared gradients; adam: first moment
  Matrix second;    ///< adadelta: squared updates; adam: second moment
  Matrix velocity;  ///< with momentum
  /// adam: updates so far, [rows] of a table, [1] of the dense part.
  Span<int32_t> updates;
};

/// Where a training stands that follows its feed by itself, in device memory. begin_step sets `active`; accumulate_loss
/// or keep_step ends the step.
struct StepState {
  uint64_t step = 0;   ///< number of the step that comes or runs, for its random numbers
  int64_t row = 0;     ///< row of the feed that it takes, counted without end
  int32_t active = 0;  ///< M of the step that runs
};

/// The steps of a training in device memory, one a row, and where begin_step places the one that runs. Everything has
/// room for B rows of the step; what stands behind its M active ones is kNoItem, and a source of -1.
struct StepFeed {
  MatrixView<const int32_t> rows;  ///< [R, 1 + 3B]: M, targets, inputs, sources; row r of the walk is at r % R
  SamplingTableView table;         ///< read where there are samples
  uint64_t seed = 0;               ///< of the samples
  int64_t samples = 0;             ///< N
  StepState* state = nullptr;
  Span<int32_t> items;   ///< [B + N + B] out: targets, samples, inputs
  Span<int32_t> source;  ///< [B] out

  constexpr int64_t batch() const { return source.size; }
  static constexpr int64_t row_size(int64_t batch) { return 1 + 3 * batch; }
};

/// Loss of the epoch so far, in device memory.
struct LossTotals {
  double weighted_sum = 0.0;    ///< sum of M * step loss
  double weight = 0.0;          ///< sum of M
  int64_t steps = 0;            ///< steps added
  int64_t first_bad_step = -1;  ///< the first step whose loss was not finite
};

/// Which items a ranking is about. Lists are in device memory.
struct Candidates {
  bool restricted = false;    ///< false = all items
  Span<const int32_t> items;  ///< ascending, without repeats; read where `restricted`
};

/// Items that top_k leaves out: row r leaves out items[starts[r] .. starts[r + 1]), ascending. Empty `starts` = none.
struct Exclusions {
  Span<const int64_t> starts;  ///< [M + 1]
  Span<const int32_t> items;
};

/// Memory of a device, in bytes; 0 = not known.
struct DeviceMemory {
  int64_t total = 0;
  int64_t free = 0;
};

/// Something that would make a back end faster and is not here.
struct Missing {
  std::string problem;  ///< what was looked for where, and what to install; empty = nothing is missing
  bool wanted = true;   ///< false = the user does without on purpose
};

/// Reads of start_read that can be under way.
constexpr int kReadPlaces = 2;

/// What stands in top_k's and target_ranks' output of a row that has a score which is not finite.
constexpr int32_t kNotFinite = -2;
/// What stands in top_k's output behind the last candidate, and in the items of a step where it has no row.
constexpr int32_t kNoItem = -1;

/// Operations that were recorded and can be run again, as one. Must not outlive its back end.
class Recording {
 public:
  virtual ~Recording() = default;
  /// Enqueues them all, with the arguments of then and what is in memory now.
  virtual void replay() = 0;
};

/// Lines of work beside the main one, for operations that do not wait for each other. None in `items` multiplies
/// matrices.
enum class Branch { rows, layers, items };
constexpr int kBranches = 3;

/// The narrow waist between the engine and the hardware: the operations of GRU4Rec, each as large as both back ends can
/// make it. Public methods check shapes and hand on to the private `do_*`, which may rely on them.
///
/// Every view points to memory of this back end (allocate), except where it says "host". Operations are asynchronous
/// and run in the order of the calls, except in branches; only downloads, finish_read and synchronize wait. Same calls,
/// same bits, on every run and for every number of threads. Sizes: M rows of the step, N samples, C = M + N score
/// columns, D or H width, I items.
class Backend {
 public:
  virtual ~Backend() = default;

  /// "cpu (avx512, 2 threads)"
  virtual std::string description() const = 0;

  virtual Missing missing() const { return {}; }

  /// Whether matrix products can be made in this precision. float32 always can.
  virtual bool supports(Precision precision) const { return precision == Precision::float32; }
  /// How the matrix products of the calls that follow are made; float32 until this is called.
  /// Throws ErrorCode::device where the precision is not supported.
  virtual void set_precision(Precision precision);

  // --- Memory -------------------------------------------------------------------------------------------------------

  /// Uninitialised memory, aligned to 64 bytes. Throws ErrorCode::out_of_memory.
  virtual void* allocate(int64_t bytes) = 0;
  virtual void release(void* memory) = 0;
  virtual void upload(const void* host, int64_t bytes, void* device) = 0;
  virtual void download(const void* device, int64_t bytes, void* host) = 0;
  virtual void synchronize() = 0;
  virtual DeviceMemory memory() const = 0;

  /// out <- value, everywhere.
  void fill(float value, Matrix out);
  /// out <- from, of one shape.
  void copy(ConstMatrix from, Matrix out);

  /// As upload, beside what runs: nothing that was called before may still read or write `device`, whatever the main
  /// line calls afterwards waits for it.
  virtual void upload_beside(const void* host, int64_t bytes, void* device) { upload(host, bytes, device); }
  /// Starts to read `bytes` as they are after all that was called before. `place`, below kReadPlaces, takes one read at
  /// a time and keeps as much host memory as the largest one took.
  virtual void start_read(int place, const void* device, int64_t bytes) = 0;
  /// Waits for the read that start_read began in `place`, and for nothing behind it.
  virtual void finish_read(int place, int64_t bytes, void* host) = 0;

  // --- Recording ----------------------------------------------------------------------------------------------------

  /// Whether steps are better recorded and replayed than called one by one.
  virtual bool records() const { return false; }
  /// Records what `operations` calls of this back end on this thread, instead of running it: operations, and branches
  /// that are all joined; no copies from or to the host, no allocations. No call may need more work space than one that
  /// ran before; when a later one does, the recording must not be replayed any more.
  /// Throws ErrorCode::device where that fails, and what `operations` throws.
  std::unique_ptr<Recording> record(const std::function<void()>& operations);
  /// The parts of `record`, for back ends that hand their calls on. No other thread's call comes between them.
  virtual void begin_recording();
  virtual std::unique_ptr<Recording> end_recording();
  virtual void abandon_recording();

  /// What is called from here to `leave` may run beside what the main line calls afterwards. It waits for all that the
  /// main line has called so far. Not from inside a branch. BranchScope calls both.
  virtual void enter(Branch) {}
  virtual void leave() {}
  /// What the main line calls from here on waits for all that was called in `branch`. Downloads do so for all branches.
  virtual void join(Branch) {}

  // --- Steps --------------------------------------------------------------------------------------------------------

  /// Takes the step of feed.state->row: its M, items and sources from the feed, its samples as draw_negatives does for
  /// step feed.state->step.
  void begin_step(const StepFeed& feed);
  /// Keeps `values` of the step in row state->row % R of `rows` [R, size of values], and lets `state` go on to the next
  /// step.
  void keep_step(Span<const int32_t> values, StepState* state, MatrixView<int32_t> rows);

  // --- Inputs and states --------------------------------------------------------------------------------------------

  /// out[i] <- table[rows[i]] [M, width], with inverted dropout where `dropout` is active; zeros for kNoItem.
  void gather_rows(ConstMatrix table, Span<const int32_t> rows, const Dropout& dropout, Matrix out);
  /// out[i] <- state[source[i]], or zeros where source[i] is -1: a session starts. [M, H]
  void carry_state(ConstMatrix state, Span<const int32_t> source, Matrix out);
  /// gradient <- gradient * mask of the same dropout, in place.
  void dropout_backward(const Dropout& dropout, Matrix gradient);
  /// out[i] <- items[source[i]], or kNoItem where source[i] is -1 and behind the last source. Empty `source` = the
  /// items one by one. `out` is other memory, and at least as long as what is taken.
  void carry_items(Span<const int32_t> items, Span<const int32_t> source, Span<int32_t> out);
  /// out <- out + from, element by element.
  void add(ConstMatrix from, Matrix out);
  /// out <- out * factor, element by element; 0 where the factor is 0, whatever was there.
  void multiply(ConstMatrix factor, Matrix out);

  // --- GRU ----------------------------------------------------------------------------------------------------------

  /// One step of a layer (docs/model.md, "GRU layer"; 1511.06939, eq. 1-4).
  /// @param input_gates  [M, 3H] rows of Wx0 to add to the gates (candidate, reset, update), or empty.
  /// @param dropout  applies to the new state, which is both the layer's output and the carried state.
  /// @param hidden  [M, H], the new state.
  void gru_forward(const GruLayer& layer, ConstMatrix input_gates, const Dropout& dropout, const GruTrace& trace,
                   Matrix hidden);
  /// Gradients of one step.
  /// @param gradient  [M, H], in: of the new state; used as work space.
  /// @param gate_gradients  [M, 3H], out: of the gates before their activation, which are also those of `input_gates`.
  /// @param input_gradient  [M, in], out; empty where nothing needs it.
  /// @param state_gradient  [M, H], out, of the state that the step began with; empty where nothing needs it.
  /// @param gradients  out; made in Branch::layers, which must be joined before they are used.
  void gru_backward(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout, Matrix gradient,
                    Matrix gate_gradients, Matrix input_gradient, Matrix state_gradient, const GruGradients& gradients);

  // --- Scores and losses --------------------------------------------------------------------------------------------

  /// samples(s, j) <- item that number `j` of step `stream.step + s` stands for. [steps, N], rows may be strided: the
  /// sample store keeps room for the targets and inputs of each step beside its samples.
  void draw_negatives(const SamplingTableView& table, const RandomStream& stream, MatrixView<int32_t> samples);
  /// out [M, C] <- hidden [M, D] weight[items]^T + bias[items] - logQ correction. Empty `items` = all I items. A column
  /// of kNoItem has the scores 0.
  void scores(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> items, const LogQ& logq,
              Matrix out);
  /// Loss and its gradient, row by row; the target of row i is column i. [M, C]
  /// @param divisor  the configured batch B, also when M < B.
  /// @param active  device memory; null = all rows. Else the rows from *active on are not there, nor the columns that
  ///     are their targets: their losses and gradients are 0.
  /// @param scores  in: raw scores; out: gradient of the step loss (sum of the rows / divisor) by the raw scores.
  /// @param row_losses  [M], not yet divided.
  void loss_gradient(const Loss& loss, int64_t divisor, const int32_t* active, Matrix scores, Span<float> row_losses);
  /// Adds one step to `totals` (device memory).
  /// @param state  null = all rows of the step are active; else they are the first state->active, and `state` goes on
  ///     to the next step
  void accumulate_loss(Span<const float> row_losses, int64_t divisor, StepState* state, LossTotals* totals);
  /// Gradients of `scores` without correction, from score_gradient [M, C]. `weight` and `items` are those of the last
  /// call of `scores`, and have not changed since.
  /// @param hidden_gradient  [M, D]  <- score_gradient weight[items]
  /// @param weight_gradient  [C, D]  <- score_gradient^T hidden, a row a column of the scores
  /// @param bias_gradient  [C, 1]  <- sums of the columns; both are made in Branch::rows, which must be joined before
  ///     they are used.
  void scores_backward(ConstMatrix score_gradient, ConstMatrix hidden, ConstMatrix weight, Span<const int32_t> items,
                       Matrix hidden_gradient, Matrix weight_gradient, Matrix bias_gradient);
  /// scores <- activation(scores), in place; softmax over each row; softmax_logit leaves them as they are.
  void activate_scores(const Activation& activation, Matrix scores);

  // --- Updates ------------------------------------------------------------------------------------------------------

  /// Groups the rows 0 .. items.size by their item; those of kNoItem are in no group. `table_rows` bounds the items.
  /// The order of the groups is fixed for one back end.
  void group_rows(Span<const int32_t> items, int64_t table_rows, const RowGroups& groups);
  /// total[0] += sum of the squares of `gradient`. `total` is in device memory.
  void add_squared_norm(ConstMatrix gradient, double* total);
  /// total[0] += sum over the groups of the squares of the group's summed rows of `gradient`. Occurrences beyond
  /// gradient.rows do not count.
  void add_squared_norm_rows(const RowGroups& groups, ConstMatrix gradient, double* total);
  /// scale[0] <- cap / norm where the norm (root of total[0]) is at least cap, else 1; total[0] <- 0.
  void clip_scale(double cap, double* total, float* scale);
  /// One optimiser step for the dense part. `scale` (device memory) multiplies the gradients; null = 1.
  void update_dense(const Optimiser& optimiser, ConstMatrix gradient, const float* scale, const TrainableMatrix& dense);
  /// One optimiser step for every row of a table that has an occurrence below gradient.rows, with the sum of its rows
  /// of `gradient`, in the order of the occurrences. Other rows are left alone.
  void update_rows(const Optimiser& optimiser, const RowGroups& groups, ConstMatrix gradient, const float* scale,
                   const TrainableMatrix& table);

  // --- Ranking ------------------------------------------------------------------------------------------------------

  /// For each row the number of candidates other than its target that score higher than it (`greater`) and the same
  /// (`equal`), by raw scores. [M] A row with a score that is not finite gets kNotFinite in both.
  void target_ranks(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> targets,
                    const Candidates& candidates, Span<int32_t> greater, Span<int32_t> equal);
  /// The k candidates of highest raw score of each row, best first, equal scores by lower item; kNoItem behind the
  /// last.
  /// @param items  [M * k]; a row with a score that is not finite starts with kNotFinite.
  /// @param scores  [M, k]
  /// @param log_sum_exp  [M] log of the sum of exp(score) over all I items, for a softmax; empty = not wanted.
  void top_k(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, int64_t k, const Candidates& candidates,
             const Exclusions& exclusions, Span<int32_t> items, Matrix scores, Span<float> log_sum_exp);

 private:
  virtual void do_begin_step(const StepFeed& feed) = 0;
  virtual void do_keep_step(Span<const int32_t> values, StepState* state, MatrixView<int32_t> rows) = 0;
  virtual void do_fill(float value, Matrix out) = 0;
  virtual void do_copy(ConstMatrix from, Matrix out) = 0;
  virtual void do_gather_rows(ConstMatrix table, Span<const int32_t> rows, const Dropout& dropout, Matrix out) = 0;
  virtual void do_carry_state(ConstMatrix state, Span<const int32_t> source, Matrix out) = 0;
  virtual void do_dropout_backward(const Dropout& dropout, Matrix gradient) = 0;
  virtual void do_carry_items(Span<const int32_t> items, Span<const int32_t> source, Span<int32_t> out) = 0;
  virtual void do_add(ConstMatrix from, Matrix out) = 0;
  virtual void do_multiply(ConstMatrix factor, Matrix out) = 0;
  virtual void do_gru_forward(const GruLayer& layer, ConstMatrix input_gates, const Dropout& dropout,
                              const GruTrace& trace, Matrix hidden) = 0;
  virtual void do_gru_backward(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout, Matrix gradient,
                               Matrix gate_gradients, Matrix input_gradient, Matrix state_gradient,
                               const GruGradients& gradients) = 0;
  virtual void do_draw_negatives(const SamplingTableView& table, const RandomStream& stream,
                                 MatrixView<int32_t> samples) = 0;
  virtual void do_scores(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> items,
                         const LogQ& logq, Matrix out) = 0;
  virtual void do_loss_gradient(const Loss& loss, int64_t divisor, const int32_t* active, Matrix scores,
                                Span<float> row_losses) = 0;
  virtual void do_accumulate_loss(Span<const float> row_losses, int64_t divisor, StepState* state,
                                  LossTotals* totals) = 0;
  virtual void do_scores_backward(ConstMatrix score_gradient, ConstMatrix hidden, ConstMatrix weight,
                                  Span<const int32_t> items, Matrix hidden_gradient, Matrix weight_gradient,
                                  Matrix bias_gradient) = 0;
  virtual void do_activate_scores(const Activation& activation, Matrix scores) = 0;
  virtual void do_group_rows(Span<const int32_t> items, int64_t table_rows, const RowGroups& groups) = 0;
  virtual void do_add_squared_norm(ConstMatrix gradient, double* total) = 0;
  virtual void do_add_squared_norm_rows(const RowGroups& groups, ConstMatrix gradient, double* total) = 0;
  virtual void do_clip_scale(double cap, double* total, float* scale) = 0;
  virtual void do_update_dense(const Optimiser& optimiser, ConstMatrix gradient, const float* scale,
                               const TrainableMatrix& dense) = 0;
  virtual void do_update_rows(const Optimiser& optimiser, const RowGroups& groups, ConstMatrix gradient,
                              const float* scale, const TrainableMatrix& table) = 0;
  virtual void do_target_ranks(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> targets,
                               const Candidates& candidates, Span<int32_t> greater, Span<int32_t> equal) = 0;
  virtual void do_top_k(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, int64_t k,
                        const Candidates& candidates, const Exclusions& exclusions, Span<int32_t> items, Matrix scores,
                        Span<float> log_sum_exp) = 0;

  const float* scored_weight_ = nullptr;   ///< arguments of the last call of `scores`
  const int32_t* scored_items_ = nullptr;  ///< "
};

/// Calls go to a branch while this lives, and to the main line again afterwards, also when one of them failed.
class BranchScope {
 public:
  BranchScope(Backend& backend, Branch branch) : backend_(backend) { backend.enter(branch); }
  ~BranchScope() {
    try {
      backend_.leave();
    } catch (const Error&) {
      // The device has failed, and the next call says so.
    }
  }
  BranchScope(const BranchScope&) = delete;
  BranchScope& operator=(const BranchScope&) = delete;

 private:
  Backend& backend_;
};

}  // namespace gru4rec
