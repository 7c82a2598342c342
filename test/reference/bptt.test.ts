import type { NativeModelSpec, NativeTrainingSpec } from "../../lib/native/addon";
import { plainModel, plainTraining, sessionsOf, supportOf } from "../parity/fixtures";
import { sigmoid } from "./activation";
import { Matrix } from "./matrix";
import { ReferenceModel, type TrainedStep } from "./model";
import type { Parameters } from "./parameters";
import { type StepInput, computeStep, forwardStack } from "./step";

const items = 7;
const smallModel: NativeModelSpec = { ...plainModel, items, layers: [3], finalAct: { kind: "linear" } };
/** Weights that stay as they are, so that what earlier steps stored is what the current weights give. */
const frozen: NativeTrainingSpec = {
  ...plainTraining,
  loss: "top1",
  optimiser: "sgd",
  learningRate: 0,
  batchSize: 3,
  nSample: 3,
};
const initial = { sigma: 0.9, normal: false, seed: 7 };

/**
 * The loss of the last step of `window` for the parameters as they are, its steps computed anew from the states that stood
 * before the first one.
 */
function lossThroughSteps(
  spec: NativeModelSpec,
  training: NativeTrainingSpec,
  parameters: Parameters,
  window: readonly TrainedStep[],
): number {
  const states = spec.layers.map((hidden) => new Matrix(training.batchSize, hidden));
  window[0]!.rows.forEach(({ slot }, i) => {
    states.forEach((state, l) => state.row(slot).set(window[0]!.input.states[l]!.row(i)));
  });
  let loss = 0;
  for (const { rows, input } of window) {
    for (const { slot, first } of rows) if (first) for (const state of states) state.row(slot).fill(0);
    const old = states.map((state) => {
      const active = new Matrix(rows.length, state.cols);
      rows.forEach(({ slot }, i) => active.row(i).set(state.row(slot)));
      return active;
    });
    rows.forEach(({ slot }, i) => {
      const stack = forwardStack(spec, parameters, input.inputs[i]!, i, old, input.inputMask, input.hiddenMasks);
      stack.states.forEach((state, l) => states[l]!.row(slot).set(state));
    });
    loss = computeStep(spec, training, parameters, { ...input, states: old }).loss;
  }
  return loss;
}

/** Gradients of steps of an epoch with sessions of the given lengths, against central differences. */
function expectGradients(
  model: Partial<NativeModelSpec>,
  training: Partial<NativeTrainingSpec>,
  lengths: readonly number[],
  steps: readonly number[],
): void {
  const spec = { ...smallModel, ...model };
  const how = { ...frozen, ...training };
  const sessions = sessionsOf(lengths, items, 5);
  const reference = new ReferenceModel(spec, initial);
  reference.prepareTraining(how, supportOf(sessions, items));
  const { trace } = reference.trainEpoch(
    sessions,
    lengths.map((_, session) => session),
  );
  const { parameters } = reference;
  for (const last of steps) {
    const { gradients } = trace[last]!.result;
    const window = trace.slice(Math.max(0, last + 1 - how.bptt), last + 1);
    const loss = (): number => lossThroughSteps(spec, how, parameters, window);
    const h = 1e-5;
    let nonZero = 0;
    for (const [name, parameter] of parameters) {
      parameter.values.forEach((value, i) => {
        const [r, c] = [Math.floor(i / parameter.cols), i % parameter.cols];
        parameter.set(r, c, value + h);
        const above = loss();
        parameter.set(r, c, value - h);
        const below = loss();
        parameter.set(r, c, value);
        const difference = (above - below) / (2 * h);
        const gradient = gradients.dense.get(name)?.at(r, c) ?? gradients.rows.get(name)?.get(r)?.[c] ?? 0;
        const error = Math.abs(gradient - difference) / Math.max(1, Math.abs(difference));
        if (!(error < 1e-8)) {
          throw new Error(`step ${last}, ${name}[${r}, ${c}]: ${gradient}, by differences ${difference}`);
        }
        if (difference !== 0) nonZero += 1;
      });
    }
    expect(nonZero).toBeGreaterThan(40);
  }
}

// Three slots, 13 steps; sessions begin in slot 1 at steps 2 and 3, in slot 2 at step 5. M is 2 at step 6, then 1.
const lengths = [14, 3, 6, 2, 5, 2];
const embeddings = [
  { embedding: "none", embeddingSize: 0 },
  { embedding: "separate", embeddingSize: 2 },
  { embedding: "shared", embeddingSize: 0 },
] as const;

describe("gradients through time equal finite differences of the steps computed anew", () => {
  for (const bptt of [1, 2, 5, 20]) {
    for (const { embedding, embeddingSize } of embeddings) {
      for (const resetAfter of [false, true]) {
        test(`bptt ${bptt}, ${embedding}, resetAfter ${resetAfter}`, () => {
          expectGradients({ embedding, embeddingSize, resetAfter }, { bptt }, lengths, [0, 2, 3, 5, 6, 8, 12]);
        });
      }
    }
  }
  for (const bptt of [2, 5, 20]) {
    for (const resetAfter of [false, true]) {
      test(`bptt ${bptt}, layers 3, 2, 3, both dropouts, resetAfter ${resetAfter}`, () => {
        expectGradients(
          { layers: [3, 2, 3], embedding: "separate", embeddingSize: 2, resetAfter },
          { bptt, dropoutEmbed: 0.3, dropoutHidden: 0.25 },
          lengths,
          [1, 4, 8, 12],
        );
      });
    }
  }
  test("bptt 20 ends behind 20 steps of a longer session", () => {
    expectGradients({}, { bptt: 20, batchSize: 2 }, [28, 4, 25], [19, 20, 26]);
  });
});

test("the rows that a step touches are those of its own items and of the session's n - 1 inputs before", () => {
  const spec: NativeModelSpec = { ...smallModel, items: 20, embedding: "separate", embeddingSize: 2 };
  // Slots: 0 1 2 3 | 10 11, 12 13 14
  const sessions = {
    items: Int32Array.of(0, 1, 2, 3, 4, 10, 11, 12, 13, 14),
    offsets: Int32Array.of(0, 5, 7, 10),
  };
  const touched = (bptt: number): number[][] => {
    const reference = new ReferenceModel(spec, initial);
    reference.prepareTraining({ ...frozen, batchSize: 2, bptt }, new Uint32Array(20).fill(1));
    const { trace } = reference.trainEpoch(sessions, [0, 1, 2]);
    return trace.map(({ result }) => [...result.gradients.rows.get("input.embedding")!.keys()].sort((a, b) => a - b));
  };
  expect(touched(1)).toEqual([[0, 10], [1, 12], [2, 13], [3]]);
  expect(touched(2)).toEqual([
    [0, 10],
    [0, 1, 12],
    [1, 2, 12, 13],
    [2, 3],
  ]);
  expect(touched(20)).toEqual([
    [0, 10],
    [0, 1, 12],
    [0, 1, 2, 12, 13],
    [0, 1, 2, 3],
  ]);
});

// One unit, one input, one row: everything is a number, and the gradients can be written down.
test("what an earlier step computed stays as it was, and its gradient passes the weights of now", () => {
  const spec: NativeModelSpec = { ...smallModel, layers: [1], embedding: "separate", embeddingSize: 1 };
  const training = { ...frozen, bptt: 2, loss: "bpr" as const, batchSize: 1 };
  const then = new ReferenceModel(spec, initial).parameters;
  const now = new ReferenceModel(spec, { ...initial, seed: 8 }).parameters;
  const input = (item: number, state: number): StepInput => ({
    inputs: [item],
    targets: [2],
    samples: [3],
    states: [Matrix.from(1, 1, [state])],
    inputMask: undefined,
    hiddenMasks: [undefined],
    support: [],
  });
  const first = computeStep(spec, training, then, input(0, 0.3));
  const x1 = then.get("input.embedding")!.at(0, 0);
  // The table changes between the steps, as by an update.
  then.get("input.embedding")!.set(0, 0, 5);
  const h1 = first.states[0]!.at(0, 0);
  const { gradients } = computeStep(spec, training, now, { ...input(1, h1), before: first.rows });

  const weights = (parameters: Parameters) => {
    const [whc, wxc] = parameters.get("layers.0.candidate.weight")!.values as unknown as [number, number];
    const [wxr, wxz, whr, whz] = [...parameters.get("layers.0.gates.weight")!.values] as [
      number,
      number,
      number,
      number,
    ];
    return { whc, wxc, wxr, wxz, whr, whz };
  };
  /** The biases are 0 in the beginning. */
  const cell = (parameters: Parameters, x: number, h: number) => {
    const { whc, wxc, wxr, wxz, whr, whz } = weights(parameters);
    const r = sigmoid(x * wxr + h * whr);
    const z = sigmoid(x * wxz + h * whz);
    return { r, z, c: Math.tanh(x * wxc + r * h * whc) };
  };
  /** Gradients of the three sums, the input and the old state, by that of the new state; by the weights of now. */
  const back = ({ r, z, c }: ReturnType<typeof cell>, h: number, gradient: number) => {
    const { whc, wxc, wxr, wxz, whr, whz } = weights(now);
    const dc = gradient * z * (1 - c * c);
    const dr = dc * whc * h * r * (1 - r);
    const dz = gradient * (c - h) * z * (1 - z);
    return {
      dc,
      dr,
      dz,
      x: dc * wxc + dr * wxr + dz * wxz,
      h: gradient * (1 - z) + dc * whc * r + dr * whr + dz * whz,
    };
  };
  const x2 = now.get("input.embedding")!.at(1, 0);
  const [one, two] = [cell(then, x1, 0.3), cell(now, x2, h1)];
  const h2 = (1 - two.z) * h1 + two.z * two.c;
  const [target, sample] = [2, 3].map((item) => now.get("output.weight")!.at(item, 0)) as [number, number];
  const scoreGradient = sigmoid((sample - target) * h2);
  const of2 = back(two, h1, scoreGradient * (sample - target));
  const of1 = back(one, 0.3, of2.h);

  const expected = new Map([
    ["layers.0.candidate.weight", [one.r * 0.3 * of1.dc + two.r * h1 * of2.dc, x1 * of1.dc + x2 * of2.dc]],
    [
      "layers.0.gates.weight",
      [x1 * of1.dr + x2 * of2.dr, x1 * of1.dz + x2 * of2.dz, 0.3 * of1.dr + h1 * of2.dr, 0.3 * of1.dz + h1 * of2.dz],
    ],
    ["layers.0.bias", [of1.dc + of2.dc, of1.dr + of2.dr, of1.dz + of2.dz]],
  ]);
  for (const [name, values] of expected) {
    values.forEach((value, i) => expect(gradients.dense.get(name)!.values[i]).toBeCloseTo(value, 14));
  }
  const rows = gradients.rows.get("input.embedding")!;
  expect(rows.get(0)![0]).toBeCloseTo(of1.x, 14);
  expect(rows.get(1)![0]).toBeCloseTo(of2.x, 14);
});
