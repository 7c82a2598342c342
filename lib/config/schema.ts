import { z } from "zod";
import { FINAL_ACTIVATION, HIDDEN_ACTIVATION } from "./activation";

/** What the documentation and the author's parameter strings need to know of a hyperparameter. */
export interface ParameterMeta {
  readonly doc: string;
  /** Name in the author's parameter strings. */
  readonly author?: string;
}

/** Documentation of the hyperparameters, by their schema. */
export const parameterMeta = z.registry<ParameterMeta>();

const LARGEST_SIZE = 2 ** 31 - 1;

// The messages of these types are what was expected: parseConfig makes "Expected NAME to be MESSAGE but received …".

function integer(minimum: number, maximum = LARGEST_SIZE) {
  const error =
    maximum === Number.MAX_SAFE_INTEGER
      ? `an integer of at least ${minimum}`
      : `an integer from ${minimum} to ${maximum}`;
  return z.int(error).min(minimum, error).max(maximum, error);
}

function atLeast(minimum: number) {
  const error = `a number of at least ${minimum}`;
  return z.number(error).min(minimum, error);
}

function above(minimum: number) {
  const error = `a number above ${minimum}`;
  return z.number(error).gt(minimum, error);
}

function between(minimum: number, maximum: number) {
  const error = `a number from ${minimum} to ${maximum}`;
  return z.number(error).min(minimum, error).max(maximum, error);
}

/** From `minimum` to just below `limit`. */
function below(minimum: number, limit: number) {
  const error = `a number of at least ${minimum} and below ${limit}`;
  return z.number(error).min(minimum, error).lt(limit, error);
}

function oneOf<const T extends readonly [string, ...string[]]>(...names: T) {
  return z.enum(names, `one of ${names.join(", ")}`);
}

function listOf<T extends z.ZodType>(element: T, what: string) {
  return z.array(element, `a list of ${what}`);
}

const yesOrNo = () => z.boolean("true or false");

const HIDDEN_TEXT = "one of linear, relu, tanh, leaky-s, elu-a, selu-l-a (such as elu-0.5)";
const FINAL_TEXT = "one of linear, relu, tanh, leaky-s, elu-a, selu-l-a (such as elu-0.5), softmax, softmax_logit";
const EMBEDDING_TEXT = `"none", "shared", "layersize" or an integer from 1 to ${LARGEST_SIZE}`;

/** Every hyperparameter: type, default, range, documentation and the author's name. */
export const parameterSchema = z.strictObject({
  loss: oneOf("cross-entropy", "xe_logit", "bpr", "bpr-max", "top1", "top1-max")
    .default("cross-entropy")
    .register(parameterMeta, { author: "loss", doc: "Loss function." }),
  finalAct: z.string(FINAL_TEXT).regex(FINAL_ACTIVATION, FINAL_TEXT).optional().register(parameterMeta, {
    author: "final_act",
    doc: "Activation of the scores. Default by loss: softmax with cross-entropy, softmax_logit with xe_logit, elu-0.5 with bpr-max, else linear.",
  }),
  hiddenAct: z
    .string(HIDDEN_TEXT)
    .regex(HIDDEN_ACTIVATION, HIDDEN_TEXT)
    .default("tanh")
    .register(parameterMeta, { author: "hidden_act", doc: "Activation of the hidden units." }),
  layers: listOf(integer(1), "layer widths")
    .min(1, "a list of at least one layer width")
    .readonly()
    .default([100])
    .register(parameterMeta, { author: "layers", doc: "Hidden units of each GRU layer." }),
  nEpochs: integer(1)
    .default(10)
    .register(parameterMeta, { author: "n_epochs", doc: "Passes over the training data." }),
  batchSize: integer(1).default(64).register(parameterMeta, {
    author: "batch_size",
    doc: "Sessions walked in parallel; each is a row of the mini-batch.",
  }),
  dropoutEmbed: below(0, 1)
    .default(0)
    .register(parameterMeta, { author: "dropout_p_embed", doc: "Dropout probability of the input embedding." }),
  dropoutHidden: below(0, 1)
    .default(0)
    .register(parameterMeta, { author: "dropout_p_hidden", doc: "Dropout probability of the hidden states." }),
  learningRate: above(0).default(0.05).register(parameterMeta, { author: "learning_rate", doc: "Step size." }),
  momentum: below(0, 1)
    .default(0)
    .register(parameterMeta, { author: "momentum", doc: "Classical momentum; 0 = none." }),
  nSample: integer(0).default(2048).register(parameterMeta, {
    author: "n_sample",
    doc: "Negative samples of a step, besides the other rows' targets.",
  }),
  sampleStore: integer(0).default(10_000_000).register(parameterMeta, {
    author: "sample_store",
    doc: "Item ids of negative samples drawn ahead; memory only, never changes the result.",
  }),
  sampleAlpha: atLeast(0).default(0.5).register(parameterMeta, {
    author: "sample_alpha",
    doc: "Negatives are drawn in proportion to support^sampleAlpha; 0 = uniformly.",
  }),
  logq: between(0, 1).optional().register(parameterMeta, {
    author: "logq",
    doc: "Strength of the popularity correction of training scores; the two cross-entropies only. Default 1 with cross-entropy, else 0.",
  }),
  bpreg: atLeast(0).default(1).register(parameterMeta, { author: "bpreg", doc: "Score regularisation of bpr-max." }),
  smoothing: below(0, 1)
    .default(0)
    .register(parameterMeta, { author: "smoothing", doc: "Label smoothing of the two cross-entropies." }),
  lmbd: atLeast(0).default(0).register(parameterMeta, { author: "lmbd", doc: "Weight decay." }),
  gradCap: atLeast(0)
    .default(0)
    .register(parameterMeta, { author: "grad_cap", doc: "Largest L2 norm of a step's gradient; 0 = no cap." }),
  sigma: atLeast(0).default(0).register(parameterMeta, {
    author: "sigma",
    doc: "Bound of the initial weights; 0 = sqrt(6 / (rows + columns)) of each matrix.",
  }),
  initAsNormal: yesOrNo().default(false).register(parameterMeta, {
    author: "init_as_normal",
    doc: "Normally distributed initial weights, the bound being their standard deviation.",
  }),
  adapt: oneOf("adagrad", "sgd", "rmsprop", "adadelta", "adam")
    .default("adagrad")
    .register(parameterMeta, { author: "adapt", doc: "Optimiser." }),
  adaptParams: listOf(below(0, 1), "decay rates").readonly().optional().register(parameterMeta, {
    author: "adapt_params",
    doc: "Decay rates of the optimiser: [r] of rmsprop and adadelta (default [0.9]), [b1, b2] of adam (default [0.9, 0.999]).",
  }),
  timeSort: yesOrNo().default(true).register(parameterMeta, {
    author: "time_sort",
    doc: "Train on sessions by the time of their first event, else by session id.",
  }),
  trainRandomOrder: yesOrNo().default(false).register(parameterMeta, {
    author: "train_random_order",
    doc: "Shuffle the sessions in every epoch; wins over timeSort.",
  }),
  embedding: z
    .union(
      [z.literal(["none", "shared", "layersize"]), z.int().min(1, EMBEDDING_TEXT).max(LARGEST_SIZE, EMBEDDING_TEXT)],
      EMBEDDING_TEXT,
    )
    .default("shared")
    .register(parameterMeta, {
      author: "embedding",
      doc: "Input of the first layer: the output weights (shared), a table of its own of the given width (layersize = that of the first layer), or none.",
    }),
  resetAfter: yesOrNo()
    .default(false)
    .register(parameterMeta, { doc: "Apply the reset gate after the recurrent product, as cuDNN and PyTorch do." }),
  seed: integer(0, Number.MAX_SAFE_INTEGER)
    .default(42)
    .register(parameterMeta, { doc: "Seed of every random number." }),
  threads: integer(0, 1024)
    .default(0)
    .register(parameterMeta, { doc: "Threads of the CPU back end; 0 = as many as the CPU quota allows." }),
  device: oneOf("auto", "cpu").default("auto").register(parameterMeta, { doc: "Where to train." }),
});

/** Hyperparameters as the caller gives them: those left out have their defaults. */
export type Hyperparameters = z.input<typeof parameterSchema>;
/** Name of a hyperparameter. */
export type ParameterName = keyof Hyperparameters;

/** Hyperparameters that are right, each on its own; those without a default may be missing. */
export type CheckedParameters = z.output<typeof parameterSchema>;

/** The effective configuration: every hyperparameter with its value. */
export type Config = { readonly [Name in ParameterName]-?: NonNullable<CheckedParameters[Name]> };

export const parameterNames = Object.keys(parameterSchema.shape) as ParameterName[];
