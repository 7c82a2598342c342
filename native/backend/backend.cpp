#include "backend/backend.h"

#include "core/error.h"

namespace gru4rec {

namespace {

/// Text is only made when something is wrong.
struct Argument {
  const char* operation;
  const char* name;
};

[[noreturn]] void fail(Argument argument, const std::string& expected, const std::string& received) {
  throw Error(ErrorCode::argument, std::string("Expected `") + argument.name + "` of " + argument.operation +
                                       " to be " + expected + " but received " + received);
}

std::string shape(int64_t rows, int64_t cols) { return "[" + std::to_string(rows) + ", " + std::to_string(cols) + "]"; }

template <class T>
void expect_shape(Argument argument, MatrixView<T> matrix, int64_t rows, int64_t cols) {
  if (matrix.rows != rows || matrix.cols != cols) {
    fail(argument, shape(rows, cols), shape(matrix.rows, matrix.cols));
  }
  if (matrix.stride < matrix.cols && matrix.rows > 1) {
    fail(argument, "a matrix whose stride is at least its " + std::to_string(matrix.cols) + " columns",
         "the stride " + std::to_string(matrix.stride));
  }
  if (matrix.data == nullptr && !matrix.empty()) fail(argument, "memory of this back end", "a null pointer");
}

template <class T>
void expect_well_formed(Argument argument, MatrixView<T> matrix) {
  expect_shape(argument, matrix, matrix.rows < 0 ? 0 : matrix.rows, matrix.cols < 0 ? 0 : matrix.cols);
}

template <class T>
void expect_size(Argument argument, Span<T> span, int64_t size) {
  if (span.size != size) fail(argument, std::to_string(size) + " elements", std::to_string(span.size));
  if (span.data == nullptr && size > 0) fail(argument, "memory of this back end", "a null pointer");
}

template <class T>
void expect_size_at_least(Argument argument, Span<T> span, int64_t size) {
  if (span.size < size) fail(argument, "at least " + std::to_string(size) + " elements", std::to_string(span.size));
  if (span.data == nullptr && size > 0) fail(argument, "memory of this back end", "a null pointer");
}

void expect_pointer(Argument argument, const void* pointer) {
  if (pointer == nullptr) fail(argument, "memory of this back end", "a null pointer");
}

void expect_at_least(Argument argument, int64_t value, int64_t least) {
  if (value < least) fail(argument, "at least " + std::to_string(least), std::to_string(value));
}

void expect_dropout(Argument argument, const Dropout& dropout) {
  if (dropout.threshold >= 1u << 24) {
    fail(argument, "a dropout with a threshold below 2^24", std::to_string(dropout.threshold));
  }
}

bool is_softmax(const Activation& activation) {
  return activation.kind == ActivationKind::softmax || activation.kind == ActivationKind::softmax_logit;
}

/// The gradients are computed from activated values, so below 0 the sign must survive the activation.
void expect_slopes(Argument argument, const Activation& activation) {
  if (!(activation.alpha >= 0.0f)) fail(argument, "an activation with alpha >= 0", std::to_string(activation.alpha));
  if (!(activation.lambda > 0.0f)) fail(argument, "an activation with lambda > 0", std::to_string(activation.lambda));
}

void expect_layer(const char* operation, const GruLayer& layer) {
  const int64_t hidden = layer.hidden(), in = layer.in();
  expect_at_least({operation, "layer.candidate rows minus columns"}, in, 0);
  expect_well_formed({operation, "layer.candidate"}, layer.candidate);
  expect_shape({operation, "layer.gates"}, layer.gates, in + hidden, 2 * hidden);
  expect_shape({operation, "layer.bias"}, layer.bias, 1, 3 * hidden);
  if (layer.reset_after()) {
    expect_shape({operation, "layer.candidate_hidden_bias"}, layer.candidate_hidden_bias, 1, hidden);
  }
  if (is_softmax(layer.activation)) fail({operation, "layer.activation"}, "one for hidden units", "a softmax");
  expect_slopes({operation, "layer.activation"}, layer.activation);
}

void expect_trace(const char* operation, const GruLayer& layer, const GruTrace& trace, int64_t rows) {
  expect_shape({operation, "trace.joined"}, trace.joined, rows, 2 * layer.hidden() + layer.in());
  expect_shape({operation, "trace.gates"}, trace.gates, rows, 3 * layer.hidden());
}

/// The parts of one score product that scores, scores_backward and the rankings share.
void expect_output_layer(const char* operation, ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias) {
  expect_well_formed({operation, "hidden"}, hidden);
  expect_shape({operation, "weight"}, weight, weight.rows, hidden.cols);
  expect_shape({operation, "bias"}, bias, weight.rows, 1);
  expect_at_least({operation, "weight rows"}, weight.rows, 1);
}

void expect_sampling_table(const char* operation, const SamplingTableView& table) {
  expect_at_least({operation, "table.items"}, table.items, 1);
  expect_pointer({operation, "table.cumulative"}, table.cumulative);
  expect_pointer({operation, "table.guide"}, table.guide);
}

void expect_candidates(const char* operation, const Candidates& candidates) {
  if (candidates.restricted) expect_size({operation, "candidates.items"}, candidates.items, candidates.items.size);
}

void expect_states(const char* operation, const Optimiser& optimiser, const TrainableMatrix& matrix, int64_t counters) {
  const int64_t rows = matrix.value.rows, cols = matrix.value.cols;
  expect_well_formed({operation, "value"}, matrix.value);
  if (optimiser.kind != OptimiserKind::sgd) expect_shape({operation, "first"}, matrix.first, rows, cols);
  if (optimiser.kind == OptimiserKind::adadelta || optimiser.kind == OptimiserKind::adam) {
    expect_shape({operation, "second"}, matrix.second, rows, cols);
  }
  if (optimiser.kind == OptimiserKind::adam) expect_size({operation, "updates"}, matrix.updates, counters);
  if (optimiser.momentum > 0.0f) expect_shape({operation, "velocity"}, matrix.velocity, rows, cols);
}

void expect_groups(const char* operation, const RowGroups& groups) {
  expect_pointer({operation, "groups.count"}, groups.count);
  expect_size_at_least({operation, "groups.start"}, groups.start, 1);
  expect_size_at_least({operation, "groups.item"}, groups.item, groups.start.size - 1);
  expect_size_at_least({operation, "groups.occurrence"}, groups.occurrence, groups.start.size - 1);
}

}  // namespace

void Backend::set_precision(Precision precision) {
  if (supports(precision)) return;
  throw Error(ErrorCode::device, std::string("Expected a device that multiplies in ") + name(precision) +
                                     " but received " + description() + ", which does not");
}

std::unique_ptr<Recording> Backend::record(const std::function<void()>& operations) {
  begin_recording();
  try {
    operations();
  } catch (...) {
    abandon_recording();
    throw;
  }
  return end_recording();
}

void Backend::begin_recording() {
  throw Error(ErrorCode::device, "Expected a back end that records but received " + description());
}

std::unique_ptr<Recording> Backend::end_recording() {
  throw Error(ErrorCode::device, "Expected a recording that has begun but received none");
}

void Backend::abandon_recording() {}

void Backend::begin_step(const StepFeed& feed) {
  const int64_t batch = feed.batch();
  expect_at_least({"begin_step", "feed.source"}, batch, 1);
  expect_at_least({"begin_step", "feed.samples"}, feed.samples, 0);
  expect_at_least({"begin_step", "feed.rows rows"}, feed.rows.rows, 1);
  expect_shape({"begin_step", "feed.rows"}, feed.rows, feed.rows.rows, StepFeed::row_size(batch));
  expect_pointer({"begin_step", "feed.state"}, feed.state);
  expect_size({"begin_step", "feed.items"}, feed.items, batch + feed.samples + batch);
  expect_size({"begin_step", "feed.source"}, feed.source, batch);
  if (feed.samples > 0) expect_sampling_table("begin_step", feed.table);
  do_begin_step(feed);
}

void Backend::keep_step(Span<const int32_t> values, StepState* state, MatrixView<int32_t> rows) {
  expect_size({"keep_step", "values"}, values, values.size);
  expect_pointer({"keep_step", "state"}, state);
  expect_at_least({"keep_step", "rows rows"}, rows.rows, 1);
  expect_shape({"keep_step", "rows"}, rows, rows.rows, values.size);
  do_keep_step(values, state, rows);
}

void Backend::fill(float value, Matrix out) {
  expect_well_formed({"fill", "out"}, out);
  if (!out.empty()) do_fill(value, out);
}

void Backend::copy(ConstMatrix from, Matrix out) {
  expect_well_formed({"copy", "from"}, from);
  expect_shape({"copy", "out"}, out, from.rows, from.cols);
  if (!out.empty()) do_copy(from, out);
}

void Backend::gather_rows(ConstMatrix table, Span<const int32_t> rows, const Dropout& dropout, Matrix out) {
  expect_well_formed({"gather_rows", "table"}, table);
  expect_size({"gather_rows", "rows"}, rows, rows.size);
  expect_dropout({"gather_rows", "dropout"}, dropout);
  expect_shape({"gather_rows", "out"}, out, rows.size, table.cols);
  if (!out.empty()) do_gather_rows(table, rows, dropout, out);
}

void Backend::carry_state(ConstMatrix state, Span<const int32_t> source, Matrix out) {
  expect_well_formed({"carry_state", "state"}, state);
  expect_size({"carry_state", "source"}, source, source.size);
  expect_shape({"carry_state", "out"}, out, source.size, state.cols);
  if (!out.empty()) do_carry_state(state, source, out);
}

void Backend::dropout_backward(const Dropout& dropout, Matrix gradient) {
  expect_dropout({"dropout_backward", "dropout"}, dropout);
  expect_well_formed({"dropout_backward", "gradient"}, gradient);
  if (dropout.active() && !gradient.empty()) do_dropout_backward(dropout, gradient);
}

void Backend::carry_items(Span<const int32_t> items, Span<const int32_t> source, Span<int32_t> out) {
  expect_size({"carry_items", "items"}, items, items.size);
  expect_size({"carry_items", "source"}, source, source.size);
  expect_size_at_least({"carry_items", "out"}, out, source.empty() ? items.size : source.size);
  if (!out.empty()) do_carry_items(items, source, out);
}

void Backend::add(ConstMatrix from, Matrix out) {
  expect_well_formed({"add", "from"}, from);
  expect_shape({"add", "out"}, out, from.rows, from.cols);
  if (!out.empty()) do_add(from, out);
}

void Backend::multiply(ConstMatrix factor, Matrix out) {
  expect_well_formed({"multiply", "factor"}, factor);
  expect_shape({"multiply", "out"}, out, factor.rows, factor.cols);
  if (!out.empty()) do_multiply(factor, out);
}

void Backend::gru_forward(const GruLayer& layer, ConstMatrix input_gates, const Dropout& dropout, const GruTrace& trace,
                          Matrix hidden) {
  expect_layer("gru_forward", layer);
  expect_shape({"gru_forward", "hidden"}, hidden, hidden.rows, layer.hidden());
  if (!input_gates.empty()) {
    expect_shape({"gru_forward", "input_gates"}, input_gates, hidden.rows, 3 * layer.hidden());
  }
  expect_trace("gru_forward", layer, trace, hidden.rows);
  expect_dropout({"gru_forward", "dropout"}, dropout);
  if (!hidden.empty()) do_gru_forward(layer, input_gates, dropout, trace, hidden);
}

void Backend::gru_backward(const GruLayer& layer, const GruTrace& trace, const Dropout& dropout, Matrix gradient,
                           Matrix gate_gradients, Matrix input_gradient, Matrix state_gradient,
                           const GruGradients& gradients) {
  expect_layer("gru_backward", layer);
  const int64_t rows = gradient.rows, hidden = layer.hidden();
  expect_shape({"gru_backward", "gradient"}, gradient, rows, hidden);
  expect_trace("gru_backward", layer, trace, rows);
  expect_dropout({"gru_backward", "dropout"}, dropout);
  expect_shape({"gru_backward", "gate_gradients"}, gate_gradients, rows, 3 * hidden);
  if (!input_gradient.empty()) {
    expect_shape({"gru_backward", "input_gradient"}, input_gradient, rows, layer.in());
  }
  if (!state_gradient.empty()) expect_shape({"gru_backward", "state_gradient"}, state_gradient, rows, hidden);
  expect_shape({"gru_backward", "gradients.candidate"}, gradients.candidate, layer.candidate.rows, hidden);
  expect_shape({"gru_backward", "gradients.gates"}, gradients.gates, layer.gates.rows, 2 * hidden);
  expect_shape({"gru_backward", "gradients.bias"}, gradients.bias, 1, 3 * hidden);
  if (layer.reset_after()) {
    expect_shape({"gru_backward", "gradients.candidate_hidden_bias"}, gradients.candidate_hidden_bias, 1, hidden);
  }
  if (gradient.empty()) {
    if (gradients.add) return;
    fill(0.0f, gradients.candidate);
    fill(0.0f, gradients.gates);
    fill(0.0f, gradients.bias);
    if (layer.reset_after()) fill(0.0f, gradients.candidate_hidden_bias);
    return;
  }
  do_gru_backward(layer, trace, dropout, gradient, gate_gradients, input_gradient, state_gradient, gradients);
}

void Backend::draw_negatives(const SamplingTableView& table, const RandomStream& stream, MatrixView<int32_t> samples) {
  expect_sampling_table("draw_negatives", table);
  expect_well_formed({"draw_negatives", "samples"}, samples);
  if (!samples.empty()) do_draw_negatives(table, stream, samples);
}

void Backend::scores(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> items,
                     const LogQ& logq, Matrix out) {
  expect_output_layer("scores", hidden, weight, bias);
  expect_size({"scores", "items"}, items, items.size);
  expect_shape({"scores", "out"}, out, hidden.rows, items.empty() ? weight.rows : items.size);
  if (logq.targets < 0 || logq.targets > out.cols) {
    fail({"scores", "logq.targets"}, "from 0 to " + std::to_string(out.cols), std::to_string(logq.targets));
  }
  scored_weight_ = weight.data;
  scored_items_ = items.data;
  if (!out.empty()) do_scores(hidden, weight, bias, items, logq, out);
}

void Backend::loss_gradient(const Loss& loss, int64_t divisor, const int32_t* active, Matrix scores,
                            Span<float> row_losses) {
  expect_well_formed({"loss_gradient", "scores"}, scores);
  expect_size({"loss_gradient", "row_losses"}, row_losses, scores.rows);
  expect_at_least({"loss_gradient", "divisor"}, divisor, 1);
  const ActivationKind act = loss.final_act.kind;
  if (loss.kind == LossKind::cross_entropy && act != ActivationKind::softmax) {
    fail({"loss_gradient", "loss.final_act"}, "softmax with cross-entropy", "another activation");
  }
  if (loss.kind == LossKind::xe_logit && act != ActivationKind::softmax_logit) {
    fail({"loss_gradient", "loss.final_act"}, "softmax_logit with xe_logit", "another activation");
  }
  if (loss.kind != LossKind::cross_entropy && loss.kind != LossKind::xe_logit && is_softmax(loss.final_act)) {
    fail({"loss_gradient", "loss.final_act"}, "an elementwise activation with a ranking loss", "a softmax");
  }
  expect_slopes({"loss_gradient", "loss.final_act"}, loss.final_act);
  if (scores.rows == 0) return;
  expect_at_least({"loss_gradient", "scores columns"}, scores.cols, scores.rows < 2 ? 2 : scores.rows);
  do_loss_gradient(loss, divisor, active, scores, row_losses);
}

void Backend::accumulate_loss(Span<const float> row_losses, int64_t divisor, StepState* state, LossTotals* totals) {
  expect_size({"accumulate_loss", "row_losses"}, row_losses, row_losses.size);
  expect_at_least({"accumulate_loss", "divisor"}, divisor, 1);
  expect_pointer({"accumulate_loss", "totals"}, totals);
  do_accumulate_loss(row_losses, divisor, state, totals);
}

void Backend::scores_backward(ConstMatrix score_gradient, ConstMatrix hidden, ConstMatrix weight,
                              Span<const int32_t> items, Matrix hidden_gradient, Matrix weight_gradient,
                              Matrix bias_gradient) {
  expect_well_formed({"scores_backward", "hidden"}, hidden);
  expect_shape({"scores_backward", "weight"}, weight, weight.rows, hidden.cols);
  expect_size({"scores_backward", "items"}, items, items.size);
  const int64_t columns = items.empty() ? weight.rows : items.size;
  expect_shape({"scores_backward", "score_gradient"}, score_gradient, hidden.rows, columns);
  expect_shape({"scores_backward", "hidden_gradient"}, hidden_gradient, hidden.rows, hidden.cols);
  expect_shape({"scores_backward", "weight_gradient"}, weight_gradient, columns, hidden.cols);
  expect_shape({"scores_backward", "bias_gradient"}, bias_gradient, columns, 1);
  if (weight.data != scored_weight_ || items.data != scored_items_) {
    fail({"scores_backward", "weight and items"}, "those of the last call of scores", "others");
  }
  if (score_gradient.empty() || hidden.empty()) {
    fill(0.0f, hidden_gradient);
    fill(0.0f, weight_gradient);
    fill(0.0f, bias_gradient);
    return;
  }
  do_scores_backward(score_gradient, hidden, weight, items, hidden_gradient, weight_gradient, bias_gradient);
}

void Backend::activate_scores(const Activation& activation, Matrix scores) {
  expect_well_formed({"activate_scores", "scores"}, scores);
  if (!scores.empty() && activation.kind != ActivationKind::softmax_logit) do_activate_scores(activation, scores);
}

void Backend::group_rows(Span<const int32_t> items, int64_t table_rows, const RowGroups& groups) {
  expect_size({"group_rows", "items"}, items, items.size);
  if (!items.empty()) expect_at_least({"group_rows", "table_rows"}, table_rows, 1);
  expect_pointer({"group_rows", "groups.count"}, groups.count);
  expect_size_at_least({"group_rows", "groups.item"}, groups.item, items.size);
  expect_size_at_least({"group_rows", "groups.start"}, groups.start, items.size + 1);
  expect_size_at_least({"group_rows", "groups.occurrence"}, groups.occurrence, items.size);
  do_group_rows(items, table_rows, groups);
}

void Backend::add_squared_norm(ConstMatrix gradient, double* total) {
  expect_well_formed({"add_squared_norm", "gradient"}, gradient);
  expect_pointer({"add_squared_norm", "total"}, total);
  if (!gradient.empty()) do_add_squared_norm(gradient, total);
}

void Backend::add_squared_norm_rows(const RowGroups& groups, ConstMatrix gradient, double* total) {
  expect_groups("add_squared_norm_rows", groups);
  expect_well_formed({"add_squared_norm_rows", "gradient"}, gradient);
  expect_pointer({"add_squared_norm_rows", "total"}, total);
  if (!gradient.empty()) do_add_squared_norm_rows(groups, gradient, total);
}

void Backend::clip_scale(double cap, double* total, float* scale) {
  if (!(cap > 0.0)) fail({"clip_scale", "cap"}, "above 0", std::to_string(cap));
  expect_pointer({"clip_scale", "total"}, total);
  expect_pointer({"clip_scale", "scale"}, scale);
  do_clip_scale(cap, total, scale);
}

void Backend::update_dense(const Optimiser& optimiser, ConstMatrix gradient, const float* scale,
                           const TrainableMatrix& dense) {
  expect_shape({"update_dense", "gradient"}, gradient, dense.value.rows, dense.value.cols);
  expect_states("update_dense", optimiser, dense, 1);
  if (!gradient.empty()) do_update_dense(optimiser, gradient, scale, dense);
}

void Backend::update_rows(const Optimiser& optimiser, const RowGroups& groups, ConstMatrix gradient, const float* scale,
                          const TrainableMatrix& table) {
  expect_groups("update_rows", groups);
  expect_shape({"update_rows", "gradient"}, gradient, gradient.rows, table.value.cols);
  expect_states("update_rows", optimiser, table, table.value.rows);
  if (!gradient.empty()) do_update_rows(optimiser, groups, gradient, scale, table);
}

void Backend::target_ranks(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, Span<const int32_t> targets,
                           const Candidates& candidates, Span<int32_t> greater, Span<int32_t> equal) {
  expect_output_layer("target_ranks", hidden, weight, bias);
  expect_size({"target_ranks", "targets"}, targets, hidden.rows);
  expect_candidates("target_ranks", candidates);
  expect_size({"target_ranks", "greater"}, greater, hidden.rows);
  expect_size({"target_ranks", "equal"}, equal, hidden.rows);
  if (hidden.rows > 0) do_target_ranks(hidden, weight, bias, targets, candidates, greater, equal);
}

void Backend::top_k(ConstMatrix hidden, ConstMatrix weight, ConstMatrix bias, int64_t k, const Candidates& candidates,
                    const Exclusions& exclusions, Span<int32_t> items, Matrix scores, Span<float> log_sum_exp) {
  expect_output_layer("top_k", hidden, weight, bias);
  if (k < 1 || k > weight.rows) {
    fail({"top_k", "k"}, "from 1 to " + std::to_string(weight.rows), std::to_string(k));
  }
  expect_candidates("top_k", candidates);
  if (!exclusions.starts.empty()) {
    expect_size({"top_k", "exclusions.starts"}, exclusions.starts, hidden.rows + 1);
    expect_size({"top_k", "exclusions.items"}, exclusions.items, exclusions.items.size);
  }
  expect_size({"top_k", "items"}, items, hidden.rows * k);
  expect_shape({"top_k", "scores"}, scores, hidden.rows, k);
  if (!log_sum_exp.empty()) expect_size({"top_k", "log_sum_exp"}, log_sum_exp, hidden.rows);
  if (hidden.rows > 0) do_top_k(hidden, weight, bias, k, candidates, exclusions, items, scores, log_sum_exp);
}

}  // namespace gru4rec
