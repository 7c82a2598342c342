import { parameterNames, parseActivation, parseConfig, type Hyperparameters } from "../../lib/config";
import { expectFailure, failureOf, problemsOf } from "../support/errors";

const config = (options: Hyperparameters = {}) => parseConfig(options).config;
const refuses = (options: object, message: string | RegExp) =>
  expectFailure(() => parseConfig(options), "ERR_CONFIG", message);

test("the defaults are those of the conventions", () => {
  expect(config()).toEqual({
    loss: "cross-entropy",
    finalAct: "softmax",
    hiddenAct: "tanh",
    layers: [100],
    nEpochs: 10,
    batchSize: 64,
    dropoutEmbed: 0,
    dropoutHidden: 0,
    learningRate: 0.05,
    learningRateDecay: 1,
    momentum: 0,
    nSample: 2048,
    sampleStore: 10_000_000,
    sampleAlpha: 0.5,
    logq: 1,
    bpreg: 1,
    smoothing: 0,
    lmbd: 0,
    gradCap: 0,
    sigma: 0,
    initAsNormal: false,
    adapt: "adagrad",
    adaptParams: [],
    timeSort: true,
    trainRandomOrder: false,
    bptt: 1,
    embedding: "shared",
    resetAfter: false,
    seed: 42,
    threads: 0,
    device: "auto",
    precision: "auto",
    stepsPerLaunch: "auto",
    cublasPath: "auto",
  });
});

test("undefined means the default", () => {
  expect(config({ layers: undefined, loss: undefined })).toEqual(config());
});

test.each([
  ["cross-entropy", "softmax", 1],
  ["xe_logit", "softmax_logit", 0],
  ["bpr", "linear", 0],
  ["bpr-max", "elu-0.5", 0],
  ["top1", "linear", 0],
  ["top1-max", "linear", 0],
] as const)("loss %s brings finalAct %s and logq %d", (loss, finalAct, logq) => {
  expect(config({ loss })).toMatchObject({ finalAct, logq });
});

test.each([
  ["adagrad", [], 0.05],
  ["sgd", [], 0.05],
  ["rmsprop", [0.9], 0.05],
  ["adadelta", [0.9], 1],
  ["adam", [0.9, 0.999], 0.05],
] as const)("adapt %s brings adaptParams %j and learningRate %d", (adapt, adaptParams, learningRate) => {
  expect(config({ adapt })).toMatchObject({ adaptParams, learningRate });
});

test.each<[object, string]>([
  [{ batchSize: 0 }, "Expected batchSize to be an integer from 1 to 2147483647 but received 0 (number)"],
  [{ batchSize: 1.5 }, "Expected batchSize to be an integer from 1 to 2147483647 but received 1.5 (number)"],
  [{ batchSize: "32" }, 'Expected batchSize to be an integer from 1 to 2147483647 but received "32" (string)'],
  [{ layers: [] }, "Expected layers to be a list of at least one layer width but received [] (array)"],
  [{ layers: 100 }, "Expected layers to be a list of layer widths but received 100 (number)"],
  [{ layers: [100, 0] }, "Expected layers[1] to be an integer from 1 to 2147483647 but received 0 (number)"],
  [{ learningRate: 0 }, "Expected learningRate to be a number above 0 but received 0 (number)"],
  [{ learningRate: NaN }, "Expected learningRate to be a number above 0 but received NaN (number)"],
  [{ learningRate: Infinity }, "Expected learningRate to be a number above 0 but received Infinity (number)"],
  [{ dropoutEmbed: 1 }, "Expected dropoutEmbed to be a number of at least 0 and below 1 but received 1 (number)"],
  [{ logq: 1.1 }, "Expected logq to be a number from 0 to 1 but received 1.1 (number)"],
  [{ seed: -1 }, "Expected seed to be an integer of at least 0 but received -1 (number)"],
  [{ seed: 2 ** 53 }, "Expected seed to be an integer of at least 0 but received 9007199254740992 (number)"],
  [{ timeSort: 1 }, "Expected timeSort to be true or false but received 1 (number)"],
  [{ loss: "bprmax" }, "Expected loss to be one of cross-entropy, xe_logit, bpr, bpr-max, top1, top1-max but received"],
  [{ hiddenAct: "softmax" }, "Expected hiddenAct to be one of linear, relu, tanh, leaky-s"],
  [{ hiddenAct: "elu" }, "Expected hiddenAct to be one of linear, relu, tanh, leaky-s"],
  [{ embedding: 0 }, 'Expected embedding to be "none", "shared", "layersize" or an integer from 1'],
  [
    { stepsPerLaunch: 257 },
    'Expected stepsPerLaunch to be "auto" or an integer from 0 to 256 but received 257 (number)',
  ],
  [{ adaptParams: [1] }, "Expected adaptParams[0] to be a number of at least 0 and below 1 but received 1 (number)"],
  [{ layer: [1] }, "Unknown parameter layer; did you mean layers?"],
  [{ n_sample: 1 }, "Unknown parameter n_sample; did you mean nSample?"],
  [{ learnigRate: 1 }, "Unknown parameter learnigRate; did you mean learningRate?"],
])("refuses %j", async (options, message) => {
  await refuses(options, message);
});

test("an unknown name that is like no other brings no suggestion", async () => {
  const error = await failureOf(() => parseConfig({ weather: 1 } as Hyperparameters));
  expect(error.message).toBe("Unknown parameter weather");
});

test.each<[Hyperparameters, string]>([
  [
    { loss: "bpr-max", finalAct: "softmax" },
    "Expected finalAct to be linear, relu, tanh, leaky-s, elu-a or selu-l-a with loss bpr-max",
  ],
  [{ loss: "top1", finalAct: "softmax_logit" }, "with loss top1"],
  [{ loss: "cross-entropy", finalAct: "linear" }, "Expected finalAct to be softmax with loss cross-entropy"],
  [{ loss: "cross-entropy", finalAct: "softmax_logit" }, "Expected finalAct to be softmax with loss cross-entropy"],
  [{ loss: "xe_logit", finalAct: "softmax" }, "Expected finalAct to be softmax_logit with loss xe_logit"],
  [{ batchSize: 1, nSample: 0 }, "Expected batchSize to be at least 2 where nSample is 0"],
  [
    { adapt: "adadelta", learningRate: 0.05 },
    "Expected learningRate to be 1 with adapt adadelta but received 0.05 (number)",
  ],
  [
    { adapt: "adadelta", learningRateDecay: 0.9 },
    "Expected learningRateDecay to be 1 with adapt adadelta but received 0.9 (number)",
  ],
  [{ adapt: "adam", adaptParams: [0.9] }, "Expected adaptParams to be a list of 2 decay rates with adapt adam"],
  [
    { adapt: "rmsprop", adaptParams: [0.9, 0.9] },
    "Expected adaptParams to be a list of 1 decay rate with adapt rmsprop",
  ],
])("refuses the combination %j", async (options, message) => {
  await refuses(options, message);
});

test.each<Hyperparameters>([
  { batchSize: 1, nSample: 1 },
  { batchSize: 2, nSample: 0 },
  { adapt: "adadelta", learningRate: 1 },
  { loss: "bpr", finalAct: "selu-1.05-1.67" },
  { loss: "bpr-max", finalAct: "leaky-.1", hiddenAct: "elu-1" },
  { embedding: "none" },
  { embedding: 1 },
])("takes %j without a warning", (options) => {
  expect(parseConfig(options).warnings).toEqual([]);
});

test("all problems come at once, each with its path", async () => {
  const options = { layrs: [1], batchSize: 1, nSample: 0, momentum: 2, loss: "top1", finalAct: "softmax" };
  const problems = await problemsOf(() => parseConfig(options as Hyperparameters));
  expect(problems.map(({ path }) => path)).toEqual(["layrs", "momentum", "finalAct", "batchSize"]);
});

test.each<[Hyperparameters, string]>([
  [{ loss: "bpr-max", logq: 0.5 }, "logq has no effect with loss bpr-max"],
  [{ loss: "top1", smoothing: 0.1 }, "smoothing has no effect with loss top1"],
  [{ embedding: "none", dropoutEmbed: 0.1 }, "dropoutEmbed has no effect without an embedding"],
  [{ adaptParams: [0.9] }, "adaptParams has no effect with adapt adagrad"],
])("warns of %j", (options, warning) => {
  expect(parseConfig(options).warnings).toEqual([warning]);
});

test("an effective configuration can be read again and stays the same", () => {
  const first = config({ loss: "bpr-max", adapt: "adam", embedding: 32 });
  expect(config(first)).toEqual(first);
});

test("every hyperparameter is in the configuration", () => {
  expect(Object.keys(config()).sort()).toEqual([...parameterNames].sort());
});

test.each([
  ["tanh", { kind: "tanh" }],
  ["elu-0.5", { kind: "elu", alpha: 0.5 }],
  ["leaky-.1", { kind: "leaky", alpha: 0.1 }],
  ["selu-1.05-1.67", { kind: "selu", lambda: 1.05, alpha: 1.67 }],
  ["softmax_logit", { kind: "softmax_logit" }],
] as const)("parseActivation: %s", (text, activation) => {
  expect(parseActivation(text)).toEqual(activation);
});
