import { z } from "zod";
import { isFinalActivation, isHiddenActivation, type FinalActivation, type HiddenActivation } from "./activation";
import { isDeviceName, type DeviceName } from "./device";
import {
  above,
  aboveUpTo,
  atLeast,
  below,
  between,
  integer,
  listOf,
  oneOf,
  text,
  wordOrInteger,
  yesOrNo,
} from "./types";

/** What the hyperparameters are about; the groups of the help, of the documentation and of `config.describe()`. */
export type ParameterGroup =
  "Network" | "Training" | "Loss" | "Negative samples" | "Optimiser" | "Initial weights" | "Running";

/** What the documentation and the author's notations need to know of a hyperparameter. */
export interface ParameterMeta {
  readonly group: ParameterGroup;
  readonly doc: string;
  /** Name in the author's parameter strings and files. */
  readonly author?: string;
  /** The default in words, where it depends on other parameters. */
  readonly byDefault?: string;
}

/** Documentation of the hyperparameters, by their schema. */
export const parameterMeta = z.registry<ParameterMeta>();

const HIDDEN_TEXT = "one of linear, relu, tanh, leaky-s, elu-a, selu-l-a (such as elu-0.5)";
const FINAL_TEXT = "one of linear, relu, tanh, leaky-s, elu-a, selu-l-a (such as elu-0.5), softmax, softmax_logit";
const DEVICE_TEXT = "auto, cpu, cuda or cuda:N (such as cuda:0)";

/**
 * Every hyperparameter: type, default, range, documentation, group and the author's name. The order is that of the
 * documentation, the members of a group one after another. Those without a default here have it in defaults.ts.
 */
export const parameterSchema = z.strictObject({
  layers: listOf(integer(1), "layer widths")
    .min(1, "a list of at least one layer width")
    .readonly()
    .default([100])
    .register(parameterMeta, { group: "Network", author: "layers", doc: "Hidden units of each GRU layer." }),
  hiddenAct: z.custom<HiddenActivation>(isHiddenActivation, HIDDEN_TEXT).default("tanh").register(parameterMeta, {
    group: "Network",
    author: "hidden_act",
    doc: "Activation of the hidden units.",
  }),
  embedding: wordOrInteger(["none", "shared", "layersize"], 1).default("shared").register(parameterMeta, {
    group: "Network",
    author: "embedding",
    doc: "Input of the first layer: the output weights (shared), a table of its own of the given width (layersize = that of the first layer), or none.",
  }),
  resetAfter: yesOrNo().default(false).register(parameterMeta, {
    group: "Network",
    doc: "Apply the reset gate after the recurrent product, as cuDNN and PyTorch do.",
  }),
  dropoutEmbed: below(0, 1).default(0).register(parameterMeta, {
    group: "Network",
    author: "dropout_p_embed",
    doc: "Dropout probability of the input embedding.",
  }),
  dropoutHidden: below(0, 1).default(0).register(parameterMeta, {
    group: "Network",
    author: "dropout_p_hidden",
    doc: "Dropout probability of the hidden states.",
  }),

  nEpochs: integer(1)
    .default(10)
    .register(parameterMeta, { group: "Training", author: "n_epochs", doc: "Passes over the training data." }),
  batchSize: integer(1).default(64).register(parameterMeta, {
    group: "Training",
    author: "batch_size",
    doc: "Sessions walked in parallel; each is a row of the mini-batch.",
  }),
  timeSort: yesOrNo().default(true).register(parameterMeta, {
    group: "Training",
    author: "time_sort",
    doc: "Train on sessions by the time of their first event, else by session id.",
  }),
  trainRandomOrder: yesOrNo().default(false).register(parameterMeta, {
    group: "Training",
    author: "train_random_order",
    doc: "Shuffle the sessions in every epoch; wins over timeSort.",
  }),
  bptt: integer(1, 1000).default(1).register(parameterMeta, {
    group: "Training",
    doc: "Steps of a session that the loss of a step flows back through, its own included; 1 is what the author's versions do.",
  }),

  loss: oneOf("cross-entropy", "xe_logit", "bpr", "bpr-max", "top1", "top1-max")
    .default("cross-entropy")
    .register(parameterMeta, { group: "Loss", author: "loss", doc: "Loss function." }),
  finalAct: z.custom<FinalActivation>(isFinalActivation, FINAL_TEXT).optional().register(parameterMeta, {
    group: "Loss",
    author: "final_act",
    doc: "Activation of the scores.",
    byDefault: "softmax with cross-entropy, softmax_logit with xe_logit, elu-0.5 with bpr-max, else linear",
  }),
  bpreg: atLeast(0)
    .default(1)
    .register(parameterMeta, { group: "Loss", author: "bpreg", doc: "Score regularisation of bpr-max." }),
  smoothing: below(0, 1).default(0).register(parameterMeta, {
    group: "Loss",
    author: "smoothing",
    doc: "Label smoothing of the two cross-entropies.",
  }),

  nSample: integer(0).default(2048).register(parameterMeta, {
    group: "Negative samples",
    author: "n_sample",
    doc: "Negative samples of a step, besides the other rows' targets.",
  }),
  sampleAlpha: atLeast(0).default(0.5).register(parameterMeta, {
    group: "Negative samples",
    author: "sample_alpha",
    doc: "Negatives are drawn in proportion to support^sampleAlpha; 0 = uniformly.",
  }),
  logq: between(0, 1).optional().register(parameterMeta, {
    group: "Negative samples",
    author: "logq",
    doc: "Strength of the popularity correction of training scores; the two cross-entropies only.",
    byDefault: "1 with cross-entropy, else 0; 0 in an author's string or file",
  }),
  sampleStore: integer(0).default(10_000_000).register(parameterMeta, {
    group: "Negative samples",
    author: "sample_store",
    doc: "Item ids of negative samples that the CPU draws ahead; memory only, never changes the result.",
  }),

  adapt: oneOf("adagrad", "sgd", "rmsprop", "adadelta", "adam")
    .default("adagrad")
    .register(parameterMeta, { group: "Optimiser", author: "adapt", doc: "Optimiser." }),
  adaptParams: listOf(below(0, 1), "decay rates").readonly().optional().register(parameterMeta, {
    group: "Optimiser",
    author: "adapt_params",
    doc: "Decay rates of the optimiser: one of rmsprop and adadelta, two of adam.",
    byDefault: "0.9 with rmsprop and adadelta, 0.9/0.999 with adam, else none",
  }),
  learningRate: above(0).optional().register(parameterMeta, {
    group: "Optimiser",
    author: "learning_rate",
    doc: "Step size.",
    byDefault: "1 with adadelta, which takes no other, else 0.05",
  }),
  learningRateDecay: aboveUpTo(0, 1).default(1).register(parameterMeta, {
    group: "Optimiser",
    doc: "Factor from one epoch's learning rate to the next one's: epoch e of a training has learningRate * learningRateDecay^(e-1).",
  }),
  momentum: below(0, 1)
    .default(0)
    .register(parameterMeta, { group: "Optimiser", author: "momentum", doc: "Classical momentum; 0 = none." }),
  lmbd: atLeast(0).default(0).register(parameterMeta, { group: "Optimiser", author: "lmbd", doc: "Weight decay." }),
  gradCap: atLeast(0).default(0).register(parameterMeta, {
    group: "Optimiser",
    author: "grad_cap",
    doc: "Largest L2 norm of a step's gradient; 0 = no cap.",
  }),

  sigma: atLeast(0).default(0).register(parameterMeta, {
    group: "Initial weights",
    author: "sigma",
    doc: "Bound of the initial weights; 0 = sqrt(6 / (rows + columns)) of each matrix.",
  }),
  initAsNormal: yesOrNo().default(false).register(parameterMeta, {
    group: "Initial weights",
    author: "init_as_normal",
    doc: "Normally distributed initial weights, the bound being their standard deviation.",
  }),

  seed: integer(0, Number.MAX_SAFE_INTEGER)
    .default(42)
    .register(parameterMeta, { group: "Running", doc: "Seed of every random number." }),
  threads: integer(0, 1024).default(0).register(parameterMeta, {
    group: "Running",
    doc: "Threads of the CPU back end; 0 = as many as the CPU quota allows.",
  }),
  device: z.custom<DeviceName>(isDeviceName, DEVICE_TEXT).default("auto").register(parameterMeta, {
    group: "Running",
    doc: "Where to compute: cuda is the first GPU that can be used, cuda:1 the second one of the machine, auto the first GPU that can be used or else the CPU.",
  }),
  precision: oneOf("auto", "float32", "tf32", "bf16").default("auto").register(parameterMeta, {
    group: "Running",
    doc: "How a GPU rounds the factors of training's matrix products; auto is tf32 where it can, else float32. Scores are float32.",
  }),
  stepsPerLaunch: wordOrInteger(["auto"], 0, 256).default("auto").register(parameterMeta, {
    group: "Running",
    doc: "Training steps that a GPU runs at a time without the host; never changes the result. auto = as many as take about a quarter of a millisecond; 0 = every operation is launched by itself.",
  }),
  cublasPath: text().default("auto").register(parameterMeta, {
    group: "Running",
    doc: "The cuBLAS library of a GPU: a path, auto to look for it, or none to do without.",
  }),
});

/** Hyperparameters as the caller gives them: those left out have their defaults. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- an interface shows its members in the documentation
export interface Hyperparameters extends z.input<typeof parameterSchema> {}
/** Name of a hyperparameter. */
export type ParameterName = keyof Hyperparameters;

/** Hyperparameters that are right, each on its own; those without a default of their own may be missing. */
export type CheckedParameters = z.output<typeof parameterSchema>;

/** A value for every hyperparameter. */
export type ConfigValues = { readonly [Name in keyof CheckedParameters]-?: NonNullable<CheckedParameters[Name]> };

/** Names of all hyperparameters, group by group. */
export const parameterNames = Object.keys(parameterSchema.shape) as ParameterName[];

export function isParameterName(name: string): name is ParameterName {
  return Object.hasOwn(parameterSchema.shape, name);
}
