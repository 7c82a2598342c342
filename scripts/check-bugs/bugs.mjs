/**
 * The bugs that check-bugs plants: in `file`, the text `find`, which stands there exactly once, becomes `replace`. All
 * of them compile, and each is a mistake that somebody could make. `jest` names other TypeScript tests than the default
 * (test/parity) to run when the C++ tests pass.
 */

const kernels = "native/backends/cpu/kernels";
const cpu = "native/backends/cpu";
const core = "native/core";
const engine = "native/engine";

export const bugs = [
  // --- Schedule -----------------------------------------------------------------------------------------------------
  {
    name: "a slot's state is not reset when a session starts",
    file: `${core}/schedule.cpp`,
    find: "source = -1;",
    replace: "source = static_cast<int32_t>(row);",
  },
  {
    name: "states stay where they are when the rows above them disappear",
    file: `${core}/schedule.cpp`,
    find: "source_[kept] = source;",
    replace: "source_[kept] = source < 0 ? source : static_cast<int32_t>(kept);",
  },
  {
    name: "the last pair of every session is left out",
    file: `${core}/schedule.cpp`,
    find: "slot.event + 1 >= slot.end",
    replace: "slot.event + 2 >= slot.end",
  },
  {
    name: "a shuffle never leaves an item in its place",
    file: `${core}/schedule.cpp`,
    find: "const uint64_t bound = static_cast<uint64_t>(i) + 1;",
    replace: "const uint64_t bound = static_cast<uint64_t>(i);",
  },
  // --- Random numbers -----------------------------------------------------------------------------------------------
  {
    name: "the sample table gives an item its neighbour's share",
    file: `${core}/sampling_table.cpp`,
    find: "total += std::pow(static_cast<double>(support[i]), alpha);\n    sum[i] = total;",
    replace: "sum[i] = total;\n    total += std::pow(static_cast<double>(support[i]), alpha);",
  },
  {
    name: "sampleAlpha is ignored",
    file: `${core}/sampling_table.cpp`,
    find: "std::pow(static_cast<double>(support[i]), alpha)",
    replace: "std::pow(static_cast<double>(support[i]), alpha > 0.0 ? 1.0 : 0.0)",
  },
  {
    name: "dropout keeps what it should drop",
    file: `${core}/philox.h`,
    find: "(word >> 8) < dropout.threshold ? 0.0f : dropout.scale",
    replace: "(word >> 8) < dropout.threshold ? dropout.scale : 0.0f",
  },
  {
    name: "dropout does not scale what stays",
    file: `${core}/philox.h`,
    find: "static_cast<float>(1.0 / (1.0 - p))",
    replace: "1.0f",
  },
  {
    name: "every step draws the same random numbers",
    file: `${engine}/trainer.cpp`,
    find: "  ++step_;\n",
    replace: "",
  },
  // --- GRU ----------------------------------------------------------------------------------------------------------
  {
    name: "reset and update gate are swapped",
    file: `${kernels}/gru_impl.h`,
    find: "float *reset = row.gates + hidden, *update = reset + hidden;\n  for_vectors",
    replace: "float *update = row.gates + hidden, *reset = update + hidden;\n  for_vectors",
  },
  {
    name: "the update gate blends the wrong way round",
    file: `${kernels}/gru_impl.h`,
    find: "fma(z, c, (1.0f - z) * at.load(row.state))",
    replace: "fma(1.0f - z, c, z * at.load(row.state))",
  },
  {
    name: "tanh for sigmoid in the reset gate",
    file: `${kernels}/gru_impl.h`,
    find: "r = sigmoid(r);",
    replace: "r = tanh(r);",
  },
  {
    name: "the gradient of the reset gate takes the reset state for the state",
    file: `${kernels}/gru_impl.h`,
    find: "at.load(reset_gradient) * at.load(row.state)",
    replace: "at.load(reset_gradient) * at.load(row.reset_state)",
  },
  {
    name: "the derivative of tanh is 1 - y",
    file: `${kernels}/activation_impl.h`,
    find: "return 1.0f - y * y;",
    replace: "return 1.0f - y;",
  },
  {
    name: "the derivative of elu forgets alpha",
    file: `${kernels}/activation_impl.h`,
    find: "y + alpha * lambda",
    replace: "y + lambda",
  },
  {
    name: "the mask of dropoutHidden is not applied in the backward step",
    file: `${cpu}/gru.cpp`,
    find: "if (dropout.active()) drop(dropout, i, gradient.row(i), width, gradient.row(i));",
    replace: "",
  },
  {
    name: "the mask of dropoutEmbed is not applied in the backward step",
    file: `${engine}/backward_pass.cpp`,
    find: "if (dropout.input.active()) backend.dropout_backward(dropout.input, input_row_gradients(0));",
    replace: "",
  },
  // --- Gradients through time -----------------------------------------------------------------------------------------
  {
    name: "the old state gets nothing past the gates",
    file: `${kernels}/gru_impl.h`,
    find: "at.store(row.state_gradient, (1.0f - z) * gradient);",
    replace: "at.store(row.state_gradient, 0.0f * gradient);",
  },
  {
    name: "the parameters' gradients of the last of the steps stand for their sum",
    file: `${engine}/backward_pass.cpp`,
    find: "                                 !running};",
    replace: "                                 false};",
  },
  {
    name: "a step's masks are those of the step that runs",
    file: `${engine}/backward_pass.cpp`,
    find: "if (!mask.empty()) backend.multiply(mask, hidden);",
    replace: "backend.dropout_backward(dropout.hidden[l], hidden);",
  },
  {
    name: "the inputs of the steps before stay in the rows where they were",
    file: `${engine}/backward_pass.cpp`,
    find: "backend.carry_items(input_place(back - 1), source, input_place(back));",
    replace: "backend.carry_items(input_place(back - 1), {}, input_place(back));",
  },
  // --- Scores and losses --------------------------------------------------------------------------------------------
  {
    name: "logQ takes targets for samples",
    file: `${cpu}/scores.cpp`,
    find: "j < logq.targets ? logq.target_coefficient : logq.sample_coefficient",
    replace: "j < logq.targets ? logq.sample_coefficient : logq.target_coefficient",
  },
  {
    name: "logQ begins the samples one column early",
    file: `${cpu}/scores.cpp`,
    find: "j < logq.targets ?",
    replace: "j + 1 < logq.targets ?",
  },
  {
    name: "logQ of samples forgets sampleAlpha",
    file: `${engine}/sample_store.cpp`,
    find: "spec.logq * spec.sample_alpha",
    replace: "spec.logq",
  },
  {
    name: "the loss is divided by M, not B",
    file: `${engine}/training_step.cpp`,
    find: "backend_.loss_gradient(spec_.loss, spec_.batch, active,",
    replace: "backend_.loss_gradient(spec_.loss, items.rows, active,",
  },
  {
    name: "the own target counts as a negative in bpr-max",
    file: `${kernels}/loss_impl.h`,
    find: "sum_others<4>(target, n, sums,",
    replace: "sum_vectors<4>(0, n, sums,",
  },
  {
    name: "no gradient of the square in bpr-max's regularisation",
    file: `${kernels}/loss_impl.h`,
    find: "(a * a - mean_square + 2.0f * a) * bpreg",
    replace: "(a * a - mean_square) * bpreg",
  },
  {
    name: "smoothing is shared by n columns, not n - 1",
    file: `${kernels}/loss_impl.h`,
    find: "    return -__builtin_log(p + kEpsilon);\n  }\n\n  const double rest = static_cast<double>(loss.smoothing) / static_cast<double>(n - 1);",
    replace:
      "    return -__builtin_log(p + kEpsilon);\n  }\n\n  const double rest = static_cast<double>(loss.smoothing) / static_cast<double>(n);",
  },
  {
    name: "top1 is a mean over the negatives only",
    file: `${kernels}/loss_impl.h`,
    find: "return (sums[0] + 0.5) / static_cast<double>(n);",
    replace: "return (sums[0] + 0.5) / static_cast<double>(n - 1);",
  },
  // --- Updates ------------------------------------------------------------------------------------------------------
  {
    name: "of an item's gradients the last one counts, not the sum",
    file: `${kernels}/update_impl.h`,
    find: "++i) sum += at.load",
    replace: "++i) sum = at.load",
  },
  {
    name: "momentum has the wrong sign",
    file: `${kernels}/update_impl.h`,
    find: "d = d - at.load(row.velocity) * momentum;",
    replace: "d = d + at.load(row.velocity) * momentum;",
  },
  {
    name: "lmbd is dropped",
    file: `${kernels}/update_impl.h`,
    find: "if (weight_decay > 0.0f) d =",
    replace: "if (weight_decay > 1e30f) d =",
  },
  {
    name: "lmbd is not multiplied by the learning rate",
    file: `${kernels}/update_impl.h`,
    find: "optimiser.learning_rate * optimiser.lmbd",
    replace: "optimiser.lmbd",
  },
  {
    name: "adam does not correct the moments of rows",
    file: `${cpu}/update.cpp`,
    find: "adam_correction(optimiser, ++table.updates[item])",
    replace: "adam_correction(optimiser, 1 << 24)",
  },
  {
    name: "gradCap leaves rows as they are",
    file: `${cpu}/update.cpp`,
    find: "scale != nullptr ? *scale : 1.0f;\n  // adam corrects",
    replace: "scale != nullptr && table.value.cols == 1 ? *scale : 1.0f;\n  // adam corrects",
  },
  {
    name: "gradCap's norm leaves rows out",
    file: `${engine}/backward_pass.cpp`,
    find: "  backend.add_squared_norm_rows(output_groups_.view, output_rows(), total);\n",
    replace: "",
  },
  {
    name: "of the gradients of an item's bias the last one counts, not the sum",
    file: `${cpu}/update.cpp`,
    find: "sum += gradient(rows.rows[i], 0)",
    replace: "sum = gradient(rows.rows[i], 0)",
  },
  {
    name: "By is touched by an input",
    file: `${cpu}/update.cpp`,
    find: "last[-1] >= gradient.rows",
    replace: "last[-1] > gradient.rows",
  },
  // --- Prediction and evaluation ------------------------------------------------------------------------------------
  {
    name: "ranks begin at 0",
    file: `${engine}/evaluator.cpp`,
    find: "return greater + 1.0;",
    replace: "return greater;",
  },
  {
    name: "conservative ranks ignore ties",
    file: `${engine}/evaluator.cpp`,
    find: "return greater + equal + 1.0;",
    replace: "return greater + 1.0;",
  },
  {
    name: "a target among the candidates ties with itself",
    file: `${cpu}/ranking.cpp`,
    find: "sum.equal - (counted_itself ? 1 : 0)",
    replace: "sum.equal - (counted_itself && items == nullptr ? 1 : 0)",
  },
  {
    name: "equal scores put the higher item first",
    file: `${cpu}/ranking.cpp`,
    find: "a.score == b.score && a.item < b.item",
    replace: "a.score == b.score && a.item > b.item",
  },
  {
    name: "candidates in the second block of items are lost",
    file: `${cpu}/ranking.cpp`,
    find: "only_list ? list[first + place]",
    replace: "only_list ? list[place]",
  },
  {
    name: "dropout when evaluating",
    file: `${engine}/evaluator.cpp`,
    find: "    candidate_items_.upload(options.candidates);\n",
    replace:
      "    candidate_items_.upload(options.candidates);\n" +
      "    dropout_.hidden[0] = make_dropout(0.5, random_stream(1, Purpose::hidden_dropout, 0));\n",
  },
  {
    name: "a softmax over the listed items only in recommend",
    file: `${cpu}/ranking.cpp`,
    find: "const bool only_list = candidates.restricted && !wants_sums;",
    replace: "const bool only_list = candidates.restricted;",
  },
  // --- Sessions, lists and trainings that go on -----------------------------------------------------------------------
  {
    name: "a slot without an event reads the first item",
    file: `${engine}/session_slots.cpp`,
    find: "if (input[slot] >= 0) continue;",
    replace: "continue;",
  },
  {
    name: "with candidates of their own all sessions have the first one's exclusions",
    file: `${engine}/recommender.cpp`,
    find: "lists.exclusions.view(row, 1), row, {}",
    replace: "lists.exclusions.view(0, 1), row, {}",
  },
  {
    name: "training that goes on repeats its first random numbers",
    file: `${engine}/trainer.cpp`,
    find: "step_(position.steps),",
    replace: "step_(0),",
  },
  {
    name: "training that was stopped leaves the weights of the middle of an epoch",
    file: "native/addon/model_wrap.cpp",
    find: "if (kept != nullptr) kept->restore(*engine_->backend, engine_->kept_tensors());",
    replace: "",
    jest: ["test/training"],
  },
  {
    name: "a validation keeps the worst epoch",
    file: "lib/training/validation.ts",
    find: "const isBest = value > this.#best;",
    replace: "const isBest = value < this.#best || this.#best === -Infinity;",
    jest: ["test/training"],
  },
  // --- Logs ---------------------------------------------------------------------------------------------------------
  {
    name: "events of one time change places",
    file: "lib/data/rows/sort-times.ts",
    find: "while (place > first && times[place - 1]! > time);",
    replace: "while (place > first && times[place - 1]! >= time);",
    jest: ["test/data/rows"],
  },
  {
    name: "all keys of a part have the high word of the first part",
    file: "lib/data/rows/deal-events.ts",
    find: "const byHigh = highs.most > highs.least;",
    replace: "const byHigh = false;",
    jest: ["test/data/rows"],
  },
  {
    name: "events of a large part are dealt but not put back",
    file: "lib/data/rows/group-events.ts",
    find: "events.items.set(items);",
    replace: "",
    jest: ["test/data/rows"],
  },
  // --- Sessions of a file -------------------------------------------------------------------------------------------
  {
    name: "a session that goes on is lost with its window",
    file: `${engine}/session_file/session_windows.cpp`,
    find: "return {slots_[slot].data(), items.size};",
    replace: "return items;",
  },
  {
    name: "a window is walked before it has been read",
    file: `${engine}/session_file/session_windows.cpp`,
    find: "while (read_ <= window) {",
    replace: "while (read_ < window) {",
  },
  {
    name: "a window has a session more than fits",
    file: `${engine}/session_file/window_plan.cpp`,
    find: "events + order_.length(session_) > window_",
    replace: "events > window_",
  },
  {
    name: "a session that is read in two pieces begins anew with the second",
    file: `${engine}/session_file/window_reader.cpp`,
    find: "if (own_end > end) break;",
    replace: "if (own_end > end && (taken = 0) == 0) break;",
  },
  {
    name: "a file that was written to is trained on",
    file: `${engine}/session_file/item_file.cpp`,
    find: "now.modified != expected_.modified",
    replace: "now.modified < 0",
  },
  {
    name: "the time of a session is that of its last piece of the file",
    file: "lib/data/log-windows.ts",
    find: "if (first + from === places[s]) startTimes[s] = times[from]!;",
    replace: "startTimes[s] = times[from]!;",
    jest: ["test/training/window"],
  },
  // --- Preparation of data ------------------------------------------------------------------------------------------
  {
    name: "a gap of exactly the limit cuts a session",
    file: "lib/data/prepare/steps.ts",
    find: "<= most) continue;",
    replace: "< most) continue;",
    jest: ["test/data/prepare"],
  },
  {
    name: "events at the border train",
    file: "lib/data/prepare/split-draft.ts",
    find: "times[event]! < border ? REST",
    replace: "times[event]! <= border ? REST",
    jest: ["test/data/prepare"],
  },
  {
    name: "filters stop after one turn",
    file: "lib/data/prepare/run-plan.ts",
    find: "before = left.counts.events;",
    replace: "before = 0;",
    jest: ["test/data/prepare"],
  },
  {
    name: "the test keeps items that only the sessions left out of a recent fraction know",
    file: "lib/data/prepare/run-plan.ts",
    find: "const known = await countItems(rest.draft, signal);",
    replace: "const known = await countItems(parts.rest, signal);",
    jest: ["test/data/prepare"],
  },
  {
    name: "events of other types do not bridge a gap",
    file: "lib/data/prepare/run-plan.ts",
    find: "let left = await steps.count(draft);",
    replace: "let left = await steps.count(await dropOtherTypes(draft, steps.signal));",
    jest: ["test/data/prepare"],
  },
  {
    name: "a session's time counts from the day of each row",
    file: "lib/data/prepare/read-raw-relation.ts",
    find: "epoch_ms(first_day::TIMESTAMP)",
    replace: "epoch_ms(date::TIMESTAMP)",
    jest: ["test/data/prepare"],
  },
  // --- Devices and memory -------------------------------------------------------------------------------------------
  {
    name: "evaluation has the precision of the last training",
    file: `${engine}/trainer.cpp`,
    find: "backend_.set_precision(Precision::float32);",
    replace: "backend_.supports(Precision::float32);",
  },
  {
    name: "a precision that is not there is taken for the default",
    file: `${engine}/trainer.cpp`,
    find: "if (!spec.precision) return",
    replace: "if (!spec.precision || !backend.supports(*spec.precision)) return",
  },
  {
    name: "the estimate forgets cuBLAS's workspace",
    file: "native/backends/cuda_library/cuda_memory_meter.cpp",
    find: "cublas_workspace_ + item_rows_.bytes() +",
    replace: "item_rows_.bytes() +",
  },
  {
    name: "the estimate counts the samples of one step",
    file: `${engine}/memory_need.cpp`,
    find: "need.sample_store = taken();",
    replace: "need.sample_store = taken() / training.batch;",
  },
  {
    name: "a device that failed is asked again",
    file: "native/backends/cuda_library/cuda_proxy.cpp",
    find: "if (message_.empty()) message_ = message;",
    replace: "static_cast<void>(message);",
  },
  {
    name: "what does not fit is found out in the middle",
    file: `${engine}/memory_need.cpp`,
    find: "if (memory.total == 0 || need.total() <= memory.free) return;",
    replace: "if (memory.free >= 0) return;",
  },
];
