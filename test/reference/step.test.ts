import type { NativeActivation, NativeModelSpec, NativeTrainingSpec } from "../../lib/native/addon";
import { Matrix } from "./matrix";
import { ReferenceModel } from "./model";
import { type StepInput, computeStep } from "./step";

const items = 9;
const support = [3, 1, 4, 1, 5, 9, 2, 6, 5];
const linear: NativeActivation = { kind: "linear" };
const selu: NativeActivation = { kind: "selu", lambda: 1.05, alpha: 1.67 };

const baseModel: NativeModelSpec = {
  items,
  layers: [4],
  embedding: "shared",
  embeddingSize: 0,
  hiddenAct: { kind: "tanh" },
  finalAct: linear,
  resetAfter: false,
};
const baseTraining: NativeTrainingSpec = {
  loss: "cross-entropy",
  smoothing: 0,
  bpreg: 1,
  optimiser: "sgd",
  learningRate: 0.5,
  momentum: 0,
  lmbd: 0,
  decay: 0.9,
  secondDecay: 0.999,
  batchSize: 3,
  nSample: 5,
  sampleAlpha: 0.5,
  sampleStore: 0,
  logq: 0,
  dropoutEmbed: 0,
  dropoutHidden: 0,
  gradCap: 0,
  seed: 42,
  randomOrder: false,
  precision: "float32",
  bptt: 1,
  stepsPerLaunch: 8,
};

/** A step in the middle of an epoch, so that states are not zero, with M = 2 of 3 rows. Weights are large: slopes too. */
function stepOf(model: Partial<NativeModelSpec>, training: Partial<NativeTrainingSpec>) {
  const spec = { ...baseModel, ...model };
  const how = { ...baseTraining, ...training };
  const reference = new ReferenceModel(spec, { sigma: 0.9, normal: false, seed: 7 });
  const sessions = {
    items: Int32Array.of(0, 1, 2, 3, 1, 1, 4, 2, 5, 0, 6, 7, 8),
    offsets: Int32Array.of(0, 5, 7, 13),
  };
  reference.prepareTraining(how, support);
  const { trace } = reference.trainEpoch(sessions, [0, 1, 2]);
  const { input } = trace[2]!;
  expect(input.inputs).toHaveLength(2);
  return { spec, training: how, reference, input };
}

/** Every gradient against the central difference of the step's loss. */
function expectGradients(model: Partial<NativeModelSpec>, training: Partial<NativeTrainingSpec>): void {
  const { spec, training: how, reference, input } = stepOf(model, training);
  const { parameters } = reference;
  const { gradients } = computeStep(spec, how, parameters, input);
  const loss = (): number => computeStep(spec, how, parameters, input).loss;
  const h = 1e-5;
  let nonZero = 0;
  for (const [name, parameter] of parameters) {
    for (let r = 0; r < parameter.rows; ++r) {
      for (let c = 0; c < parameter.cols; ++c) {
        const value = parameter.at(r, c);
        parameter.set(r, c, value + h);
        const above = loss();
        parameter.set(r, c, value - h);
        const below = loss();
        parameter.set(r, c, value);
        const difference = (above - below) / (2 * h);
        const gradient = gradients.dense.get(name)?.at(r, c) ?? gradients.rows.get(name)?.get(r)?.[c] ?? 0;
        const error = Math.abs(gradient - difference) / Math.max(1, Math.abs(difference));
        if (!(error < 1e-8)) throw new Error(`${name}[${r}, ${c}]: ${gradient}, by differences ${difference}`);
        if (difference !== 0) nonZero += 1;
      }
    }
  }
  expect(nonZero).toBeGreaterThan(50);
}

const crossEntropies = [
  { loss: "cross-entropy", finalAct: { kind: "softmax" } },
  { loss: "xe_logit", finalAct: { kind: "softmax_logit" } },
] as const;
const pairwiseLosses = ["bpr", "bpr-max", "top1", "top1-max"] as const;
const embeddings = [
  { embedding: "none", embeddingSize: 0 },
  { embedding: "separate", embeddingSize: 3 },
  { embedding: "shared", embeddingSize: 0 },
] as const;
const activations: NativeActivation[] = [
  { kind: "tanh" },
  linear,
  { kind: "relu" },
  { kind: "leaky", alpha: 0.2 },
  { kind: "elu", alpha: 0.5 },
  selu,
];

describe("gradients equal finite differences", () => {
  for (const { loss, finalAct } of crossEntropies) {
    for (const [smoothing, logq] of [[0, 0] as const, [0.1, 0.7] as const]) {
      for (const { embedding, embeddingSize } of embeddings) {
        for (const resetAfter of [false, true]) {
          test(`${loss}, smoothing ${smoothing}, logq ${logq}, ${embedding}, resetAfter ${resetAfter}`, () => {
            expectGradients({ finalAct, embedding, embeddingSize, resetAfter }, { loss, smoothing, logq });
          });
        }
      }
    }
  }
  for (const loss of pairwiseLosses) {
    for (const { embedding, embeddingSize } of embeddings) {
      for (const resetAfter of [false, true]) {
        test(`${loss}, ${embedding}, resetAfter ${resetAfter}`, () => {
          expectGradients({ finalAct: linear, embedding, embeddingSize, resetAfter }, { loss, bpreg: 0.7 });
        });
      }
    }
    for (const finalAct of activations) {
      test(`${loss} of scores through ${finalAct.kind}`, () => {
        expectGradients({ finalAct }, { loss, bpreg: 0.7 });
      });
    }
  }
  for (const hiddenAct of activations) {
    for (const resetAfter of [false, true]) {
      test(`hidden activation ${hiddenAct.kind}, resetAfter ${resetAfter}`, () => {
        expectGradients({ hiddenAct, resetAfter }, { learningRate: 0.1 });
      });
    }
  }
  for (const { embedding, embeddingSize } of embeddings) {
    for (const resetAfter of [false, true]) {
      test(`layers 5, 3, 4 with both dropouts, ${embedding}, resetAfter ${resetAfter}`, () => {
        expectGradients(
          { layers: [5, 3, 4], embedding, embeddingSize, resetAfter },
          { dropoutEmbed: 0.3, dropoutHidden: 0.25 },
        );
      });
    }
  }
});

describe("losses by hand, two rows in a batch of four", () => {
  /** All weights 0 but By: every row has the scores By of its columns. Targets 0, 1; samples 2, 0. */
  const byHand = (training: Partial<NativeTrainingSpec>, finalAct: NativeActivation): number => {
    const spec = { ...baseModel, finalAct };
    const reference = new ReferenceModel(spec, { sigma: 0, normal: false, seed: 1 });
    for (const parameter of reference.parameters.values()) parameter.values.fill(0);
    reference.parameters.get("output.bias")!.values.set([0.5, -1, 2]);
    const input: StepInput = {
      inputs: [3, 4],
      targets: [0, 1],
      samples: [2, 0],
      states: [new Matrix(2, 4)],
      inputMask: undefined,
      hiddenMasks: [undefined],
      support,
    };
    return computeStep(spec, { ...baseTraining, batchSize: 4, ...training }, reference.parameters, input).loss;
  };
  const s = [0.5, -1, 2, 0.5];
  const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const overRows = (term: (t: number, row: number) => number): number => (term(s[0]!, 0) + term(s[1]!, 1)) / 4;
  const weights = (row: number): number[] => {
    const exps = s.map((x, j) => (j === row ? 0 : Math.exp(x)));
    return exps.map((e) => e / sum(exps));
  };
  const logSum = Math.log(sum(s.map(Math.exp)));

  test("cross-entropies", () => {
    const expected = overRows((t) => logSum - t);
    expect(byHand({ loss: "cross-entropy" }, { kind: "softmax" })).toBeCloseTo(expected, 12);
    expect(byHand({ loss: "xe_logit" }, { kind: "softmax_logit" })).toBeCloseTo(expected, 12);
  });
  test("cross-entropies, smoothed", () => {
    const expected = overRows((t) => (1 - (4 / 3) * 0.2) * (logSum - t) + (0.2 / 3) * sum(s.map((x) => logSum - x)));
    expect(byHand({ loss: "cross-entropy", smoothing: 0.2 }, { kind: "softmax" })).toBeCloseTo(expected, 12);
    expect(byHand({ loss: "xe_logit", smoothing: 0.2 }, { kind: "softmax_logit" })).toBeCloseTo(expected, 12);
  });
  test("logq: support of targets, support^sampleAlpha of samples", () => {
    const q = [3, 1, 4 ** 0.5, 3 ** 0.5];
    const corrected = s.map((x, j) => x - 0.6 * Math.log(q[j]!));
    const log = Math.log(sum(corrected.map(Math.exp)));
    const expected = (log - corrected[0]! + log - corrected[1]!) / 4;
    expect(byHand({ logq: 0.6 }, { kind: "softmax" })).toBeCloseTo(expected, 12);
  });
  test("cross-entropy keeps its epsilon: a hopeless target costs -log 1e-24", () => {
    const hopeless = (loss: "cross-entropy" | "xe_logit", kind: "softmax" | "softmax_logit"): number => {
      const spec = { ...baseModel, finalAct: { kind } };
      const reference = new ReferenceModel(spec, { sigma: 0, normal: false, seed: 1 });
      for (const parameter of reference.parameters.values()) parameter.values.fill(0);
      reference.parameters.get("output.bias")!.values.set([-500, 0]);
      const input: StepInput = {
        inputs: [3],
        targets: [0],
        samples: [1],
        states: [new Matrix(1, 4)],
        inputMask: undefined,
        hiddenMasks: [undefined],
        support,
      };
      return computeStep(spec, { ...baseTraining, batchSize: 1, loss }, reference.parameters, input).loss;
    };
    expect(hopeless("cross-entropy", "softmax")).toBeCloseTo(24 * Math.LN10, 10);
    expect(hopeless("xe_logit", "softmax_logit")).toBeCloseTo(500, 10);
  });
  test("bpr", () => {
    const expected = overRows((t) => sum(s.map((x) => Math.log(1 + Math.exp(x - t)))));
    expect(byHand({ loss: "bpr" }, linear)).toBeCloseTo(expected, 12);
  });
  test("bpr-max", () => {
    const expected = overRows((t, row) => {
      const w = weights(row);
      return -Math.log(sum(s.map((x, j) => w[j]! * sigma(t - x)))) + 0.7 * sum(s.map((x, j) => w[j]! * x * x));
    });
    expect(byHand({ loss: "bpr-max", bpreg: 0.7 }, linear)).toBeCloseTo(expected, 12);
  });
  test("top1", () => {
    const expected = overRows((t) => sum(s.map((x) => sigma(x - t) + sigma(x * x))) / 4 - sigma(t * t) / 4);
    expect(byHand({ loss: "top1" }, linear)).toBeCloseTo(expected, 12);
  });
  test("top1-max", () => {
    const expected = overRows((t, row) => sum(s.map((x, j) => weights(row)[j]! * (sigma(x - t) + sigma(x * x)))));
    expect(byHand({ loss: "top1-max" }, linear)).toBeCloseTo(expected, 12);
  });
});
