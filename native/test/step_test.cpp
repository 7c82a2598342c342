#include <cmath>
#include <map>

#include "device_layer.h"
#include "losses.h"
#include "reference/difference.h"
#include "reference/random.h"
#include "reference/step.h"

/// The operations together: a training step of two layers as the engine runs it, against central differences of the
/// float64 step, for every loss and final activation, embedding mode and reset form.
namespace gru4rec::test {

namespace {

using namespace reference;

constexpr uint64_t kSeed = 31, kTrainingStep = 9;
constexpr int64_t kItems = 6, kRows = 3, kSamples = 4, kBatch = 5;
constexpr double kDropoutEmbed = 0.25, kDropoutHidden = 0.35;

/// A model and a step as float32 data: the back end and the reference start from the same numbers.
struct Step {
  std::string name;
  EmbeddingMode embedding;
  std::vector<LayerTables> layers;
  Table<float> wy, by, input;
  StepInput<float> in;
  double dropout_embed = 0.0, dropout_hidden = 0.0;

  template <class T>
  Model<T> model() const {
    Model<T> model{embedding, layers[0].activation, {}, as<T>(wy), as<T>(by), as<T>(input)};
    for (const LayerTables& layer : layers) model.layers.push_back(split<T>(layer));
    return model;
  }
  template <class T>
  StepInput<T> step() const {
    StepInput<T> out{in.loss, in.batch, in.in, in.out, {}, as<T>(in.input_mask), {}, {}, in.logq, in.alpha};
    for (const Table<float>& state : in.states) out.states.push_back(as<T>(state));
    for (const Table<float>& mask : in.masks) out.masks.push_back(as<T>(mask));
    for (const float support : in.log_support) out.log_support.push_back(T(double{support}));
    return out;
  }
};

const char* name(EmbeddingMode mode) {
  return mode == EmbeddingMode::none ? "none" : mode == EmbeddingMode::separate ? "separate" : "shared";
}

Step random_step(Data& data, const NamedLoss& loss, EmbeddingMode embedding, bool reset_after,
                 const NamedActivation& hidden_act, bool dropout) {
  const int64_t first = 3, last = 4, size = 5;
  const int64_t in = embedding == EmbeddingMode::none ? 0 : embedding == EmbeddingMode::shared ? last : size;
  Step s;
  s.name = loss.name + ", " + name(embedding) + (reset_after ? ", reset after, " : ", reset before, ") +
           hidden_act.name + (dropout ? ", dropout" : "");
  s.embedding = embedding;
  s.layers = {random_layer(data, in, first, reset_after, hidden_act.activation),
              random_layer(data, first, last, reset_after, hidden_act.activation)};
  s.wy = data.table(kItems, last, 1.0);
  s.by = data.table(kItems, 1, 0.5);
  if (embedding == EmbeddingMode::separate) s.input = data.table(kItems, size, 1.0);
  if (embedding == EmbeddingMode::none) s.input = data.table(kItems, 3 * first, 1.0);
  s.dropout_embed = dropout ? kDropoutEmbed : 0.0;
  s.dropout_hidden = dropout ? kDropoutHidden : 0.0;

  s.in.loss = loss.loss;
  s.in.batch = kBatch;
  s.in.in = data.items(kRows, kItems);
  s.in.out = data.items(kRows + kSamples, kItems);
  s.in.out[kRows] = s.in.out[0];  // a sample that is a target, and an input that is one, too
  s.in.in[1] = s.in.out[0];
  s.in.states = {data.table(kRows, first, 1.0), data.table(kRows, last, 1.0)};
  s.in.input_mask = dropout_mask(s.dropout_embed, kSeed, kInputDropout, kTrainingStep, kRows, in);
  s.in.masks = {dropout_mask(s.dropout_hidden, kSeed, kHiddenDropout, kTrainingStep, kRows, first),
                dropout_mask(s.dropout_hidden, kSeed, kHiddenDropout + 256, kTrainingStep, kRows, last)};
  s.in.log_support = data.table(1, kItems, 2.0).data;
  if (is_cross_entropy(loss.loss)) {
    s.in.logq = 0.5;
    s.in.alpha = 0.75;
  }
  return s;
}

/// Differences across the kink of an activation would say nothing.
bool clear_of_kinks(const Step& s) {
  const StepResult<double> result = forward(s.model<double>(), s.step<double>());
  bool clear = true;
  const auto look = [&](const Table<double>& table) {
    for (const double a : table.data) clear = clear && std::abs(a) > 20.0 * reference::kStep;
  };
  for (const GruStep<double>& layer : result.layers) look(layer.ac);
  look(result.scores);
  return clear;
}

/// A step with its gradients: by central differences of the float64 step, and with the error that float32 may have.
struct Case {
  Step step;
  Model<double> differences;
  Model<Number> gradient;
  Number loss;
};

Case make_case(const Step& step) {
  Case made{step, step.model<double>(), {}, {}};
  Model<double> model = step.model<double>();
  const StepInput<double> input = step.step<double>();
  const auto loss = [&] { return forward(model, input).loss; };
  std::map<std::string, Table<double>> differences;
  for_each_matrix(model, [&](const std::string& matrix, Table<double>& table) {
    Table<double>& out = differences[matrix] = Table<double>(table.rows, table.cols);
    for (size_t i = 0; i < table.data.size(); ++i) out.data[i] = derivative(loss, table.data[i]);
  });
  for_each_matrix(made.differences,
                  [&](const std::string& matrix, Table<double>& table) { table = differences[matrix]; });

  const Model<Number> numbers = step.model<Number>();
  const StepInput<Number> number_input = step.step<Number>();
  const StepResult<Number> result = forward(numbers, number_input);
  made.loss = result.loss;
  made.gradient = backward(numbers, number_input, result);
  return made;
}

/// Every loss x final activation x embedding mode x reset form, each with and without dropout; the hidden activations
/// take turns.
const std::vector<Case>& cases() {
  static const std::vector<Case> made = [] {
    std::vector<Case> out;
    Data data(1);
    const std::vector<NamedActivation>& activations = elementwise_activations();
    size_t turn = 0;
    for (const NamedLoss& loss : all_losses())
      for (const EmbeddingMode embedding : {EmbeddingMode::none, EmbeddingMode::separate, EmbeddingMode::shared})
        for (const bool reset_after : {false, true})
          for (const bool dropout : {false, true}) {
            const NamedActivation& hidden_act = activations[turn++ % activations.size()];
            Step step = random_step(data, loss, embedding, reset_after, hidden_act, dropout);
            while (!clear_of_kinks(step)) step = random_step(data, loss, embedding, reset_after, hidden_act, dropout);
            out.push_back(make_case(step));
          }
    return out;
  }();
  return made;
}

/// Sums the rows of `gradient` by item into a table of the back end: an update by sgd of a zero table, times -1.
Table<float> summed(Backend& backend, const RowGroups& groups, ConstMatrix gradient, int64_t cols) {
  DeviceMatrix table(backend, Table<float>(kItems, cols));
  backend.update_rows({OptimiserKind::sgd, 1.0f, 0.0f, 0.0f, 0.9f, 0.999f}, groups, gradient, nullptr,
                      {table, {}, {}, {}, {}});
  Table<float> sums = table.download();
  for (float& v : sums.data) v = -v;
  return sums;
}

/// Runs the step on the back end and returns all gradients in the shape of the model.
Model<float> run(Backend& backend, const Step& s, float& loss) {
  DeviceLayer first(backend, s.layers[0], kRows, 3), second(backend, s.layers[1], kRows, 5);
  const DeviceMatrix wy(backend, s.wy), by(backend, s.by), input(backend, s.input);
  const DeviceMatrix state0(backend, s.in.states[0]), state1(backend, s.in.states[1]);
  const int64_t columns = kRows + kSamples, width = s.wy.cols;
  const bool none = s.embedding == EmbeddingMode::none, shared = s.embedding == EmbeddingMode::shared;
  // Targets and samples, then inputs: in `shared` mode one grouping serves both uses of Wy.
  std::vector<int32_t> all = s.in.out;
  all.insert(all.end(), s.in.in.begin(), s.in.in.end());
  const DeviceVector<int32_t> items(backend, all);
  const Span<const int32_t> out_items = items.span().range(0, columns), in_items = items.span().range(columns, kRows);
  const Dropout input_dropout =
      make_dropout(s.dropout_embed, random_stream(kSeed, Purpose::input_dropout, kTrainingStep));
  const auto hidden_dropout = [&](uint32_t l) {
    return make_dropout(s.dropout_hidden, random_stream(kSeed, Purpose::hidden_dropout, kTrainingStep, l));
  };

  DeviceMatrix input_gates(backend, none ? kRows : 0, none ? 3 * first.hidden_size : 0);
  if (none) {
    backend.gather_rows(input, in_items, Dropout(), input_gates);
  } else {
    backend.gather_rows(shared ? wy : input, in_items, input_dropout, first.input());
  }
  backend.copy(state0, first.state());
  backend.copy(state1, second.state());
  backend.gru_forward(first.layer, input_gates, hidden_dropout(0), first.trace(), second.input());
  backend.gru_forward(second.layer, Matrix(), hidden_dropout(1), second.trace(), second.hidden);

  const DeviceVector<float> log_support(backend, s.in.log_support);
  LogQ logq;
  if (s.in.logq > 0.0)
    logq = {log_support.data(), static_cast<float>(s.in.logq), static_cast<float>(s.in.logq * s.in.alpha), kRows};
  DeviceMatrix scores(backend, kRows, columns);
  const DeviceVector<float> row_losses(backend, kRows);
  const DeviceVector<LossTotals> totals(backend, std::vector<LossTotals>{LossTotals()});
  backend.scores(second.hidden, wy, by, out_items, logq, scores);
  backend.loss_gradient(s.in.loss, s.in.batch, nullptr, scores, row_losses.span());
  backend.accumulate_loss(row_losses.span(), s.in.batch, nullptr, totals.data());
  loss = static_cast<float>(totals.download()[0].weighted_sum / static_cast<double>(kRows));

  // The rows behind the columns' are those of the inputs in `shared` mode.
  DeviceMatrix row_gradients(backend, columns + kRows, width), bias_gradient(backend, columns, 1);
  DeviceMatrix hidden_gradient(backend, kRows, width);
  backend.scores_backward(scores, second.hidden, wy, out_items, hidden_gradient,
                          row_gradients.view().row_range(0, columns), bias_gradient);
  backend.gru_backward(second.layer, second.trace(), hidden_dropout(1), hidden_gradient, second.gate_gradients,
                       second.input_gradient, {}, second.gradients());
  const Matrix input_gradient = none     ? Matrix()
                                : shared ? row_gradients.view().row_range(columns, kRows)
                                         : first.input_gradient.view();
  backend.gru_backward(first.layer, first.trace(), hidden_dropout(0), second.input_gradient, first.gate_gradients,
                       input_gradient, {}, first.gradients());
  if (!none) backend.dropout_backward(input_dropout, input_gradient);

  Model<float> gradient{s.embedding, s.layers[0].activation, {}, {}, {}, {}};
  for (const DeviceLayer* layer : {&first, &second})
    gradient.layers.push_back(split(layer->candidate_gradient.download(), layer->gates_gradient.download(),
                                    layer->bias_gradient.download(), layer->candidate_hidden_bias_gradient.download()));
  const DeviceVector<int32_t> count(backend, 1), item(backend, columns + kRows), occurrence(backend, columns + kRows);
  const DeviceVector<int32_t> start(backend, columns + kRows + 1);
  const RowGroups groups{count.data(), item.span(), start.span(), occurrence.span()};
  backend.group_rows(items.span(), kItems, groups);
  gradient.wy = summed(backend, groups, row_gradients.view().row_range(0, shared ? columns + kRows : columns), width);
  gradient.by = summed(backend, groups, bias_gradient, 1);
  if (!shared) {
    backend.group_rows(in_items, kItems, groups);
    const ConstMatrix rows = none ? ConstMatrix(first.gate_gradients) : ConstMatrix(first.input_gradient);
    gradient.input = summed(backend, groups, rows, rows.cols);
  }
  return gradient;
}

}  // namespace

TEST_CASE("step reference: gradients agree with central differences for every loss, activation, mode and reset form") {
  for (const Case& c : cases()) {
    const Context context(c.step.name);
    Model<Number> gradient = c.gradient;
    Model<double> differences = c.differences;
    std::map<std::string, Table<double>> expected;
    for_each_matrix(differences, [&](const std::string& matrix, Table<double>& table) { expected[matrix] = table; });
    for_each_matrix(gradient, [&](const std::string& matrix, Table<Number>& table) {
      const Context of(matrix);
      CHECK_EQUAL(expected[matrix].data.size(), table.data.size());
      for (size_t i = 0; i < table.data.size(); ++i)
        CHECK_NEAR(expected[matrix].data[i], table.data[i].value, difference_tolerance(table.data[i].value));
    });
  }
}

PRODUCT_TEST("step: gradients agree with central differences for every loss, activation, mode and reset form") {
  for (const Case& c : cases()) {
    const Context context(c.step.name);
    float loss = 0.0f;
    Model<float> received = run(backend, c.step, loss);
    CHECK_NEAR(c.loss.value, loss, kSlack * c.loss.error);
    std::map<std::string, Table<float>> tables;
    for_each_matrix(received, [&](const std::string& matrix, Table<float>& table) { tables[matrix] = table; });
    Model<double> differences = c.differences;
    std::map<std::string, Table<double>> expected;
    for_each_matrix(differences, [&](const std::string& matrix, Table<double>& table) { expected[matrix] = table; });
    // The Numbers say how far float32 may be off the differences.
    Model<Number> errors = c.gradient;
    for_each_matrix(errors, [&](const std::string& matrix, Table<Number>& table) {
      const Context of(matrix);
      std::vector<Number> bounds;
      for (size_t i = 0; i < table.data.size(); ++i)
        bounds.push_back({expected[matrix].data[i], table.data[i].error + difference_tolerance(table.data[i].value)});
      CHECK_NUMBERS(bounds, tables[matrix].data);
    });
  }
}

}  // namespace gru4rec::test
