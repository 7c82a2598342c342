import type { NativeTrainingSpec } from "../../lib/native/addon";
import { Matrix } from "./matrix";
import { Optimiser } from "./optimiser";

const base: NativeTrainingSpec = {
  loss: "cross-entropy",
  smoothing: 0,
  bpreg: 1,
  optimiser: "sgd",
  learningRate: 0.1,
  momentum: 0,
  lmbd: 0,
  decay: 0.9,
  secondDecay: 0.99,
  batchSize: 1,
  nSample: 1,
  sampleAlpha: 0,
  sampleStore: 0,
  logq: 0,
  dropoutEmbed: 0,
  dropoutHidden: 0,
  gradCap: 0,
  seed: 0,
  randomOrder: false,
  precision: "float32",
  bptt: 1,
  stepsPerLaunch: 8,
};

/** A table of two rows at 1; row 0 gets the gradients in turn (0 = not touched). Its values after each update. */
function run(training: Partial<NativeTrainingSpec>, gradients: readonly number[]): number[] {
  const parameters = new Map([["output.bias", Matrix.from(2, 1, [1, 1])]]);
  const optimiser = new Optimiser({ ...base, ...training });
  return gradients.map((g) => {
    const rows = new Map(g === 0 ? [] : [[0, Float64Array.of(g)] as const]);
    optimiser.update(parameters, { dense: new Map(), rows: new Map([["output.bias", rows]]) });
    expect(parameters.get("output.bias")!.at(1, 0)).toBe(1);
    return parameters.get("output.bias")!.at(0, 0);
  });
}

const expectClose = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12));
};

test("sgd", () => expectClose(run({}, [2, 0, -1]), [0.8, 0.8, 0.9]));

test("momentum: an untouched row does not coast", () => {
  expectClose(run({ momentum: 0.5 }, [2, 0, 2]), [0.8, 0.8, 0.8 - 0.1 - 0.2]);
});

test("lmbd: once per touched row", () => {
  expectClose(run({ lmbd: 0.3 }, [2, 0, 2]), [1 - 0.2 - 0.03, 0.77, 0.77 - 0.2 - 0.1 * 0.3 * 0.77]);
});

test("adagrad", () => {
  const first = 1 - 0.2 / Math.sqrt(4 + 1e-6);
  expectClose(run({ optimiser: "adagrad" }, [2, 0, 1]), [first, first, first - 0.1 / Math.sqrt(5 + 1e-6)]);
});

test("rmsprop", () => {
  const first = 1 - 0.2 / Math.sqrt(0.4 + 1e-6);
  expectClose(run({ optimiser: "rmsprop" }, [2, 1]), [first, first - 0.1 / Math.sqrt(0.36 + 0.1 + 1e-6)]);
});

test("adadelta", () => {
  const d1 = 2 * Math.sqrt(1e-6 / (0.4 + 1e-6));
  const d2 = Math.sqrt((0.1 * d1 * d1 + 1e-6) / (0.36 + 0.1 + 1e-6));
  expectClose(run({ optimiser: "adadelta", learningRate: 1 }, [2, 1]), [1 - d1, 1 - d1 - d2]);
});

test("adam: the count of a row advances when it is touched", () => {
  const d1 = (0.1 * 2) / (2 + 1e-6);
  const mean = (0.9 * 0.2 + 0.1) / (1 - 0.81);
  const variance = (0.99 * 0.04 + 0.01) / (1 - 0.9801);
  const d2 = (0.1 * mean) / (Math.sqrt(variance) + 1e-6);
  expectClose(run({ optimiser: "adam" }, [2, 0, 0, 1]), [1 - d1, 1 - d1, 1 - d1, 1 - d1 - d2]);
});

test("gradCap: the norm is over all gradients together", () => {
  const parameters = new Map([
    ["layers.0.bias", new Matrix(1, 1)],
    ["output.weight", new Matrix(2, 1)],
  ]);
  const update = (cap: number): number[] => {
    for (const parameter of parameters.values()) parameter.values.fill(0);
    new Optimiser({ ...base, learningRate: 1, gradCap: cap }).update(parameters, {
      dense: new Map([["layers.0.bias", Matrix.from(1, 1, [3])]]),
      rows: new Map([["output.weight", new Map([[1, Float64Array.of(4)]])]]),
    });
    return [...parameters.values()].flatMap((parameter) => [...parameter.values]);
  };
  expectClose(update(1), [-0.6, 0, -0.8]);
  expectClose(update(5), [-3, 0, -4]);
  expectClose(update(6), [-3, 0, -4]);
});
