import type {
  NativeActivation,
  NativeModel,
  NativeModelSpec,
  NativeSessions,
  NativeTrainingSpec,
} from "../../lib/native/addon";
import { Matrix } from "../reference/matrix";
import { ReferenceModel, type TrainedEpoch } from "../reference/model";
import type { Parameters } from "../reference/parameters";
import { RandomNumbers, purposes } from "../reference/philox";
import { expectParameters, largest, readParameters, relativeError, writeParameters } from "./compare";
import { ascending, combinations, plainModel, plainTraining, sessionsOf, supportOf } from "./fixtures";
import { FROM_THE_START, withModel } from "./native";

function copyOf(parameters: Parameters): Parameters {
  return new Map([...parameters].map(([name, { rows, cols, values }]) => [name, Matrix.from(rows, cols, values)]));
}

function changes(before: Parameters, after: Parameters): Parameters {
  return new Map(
    [...before].map(([name, { rows, cols, values }]) => [
      name,
      Matrix.from(
        rows,
        cols,
        values.map((value, i) => after.get(name)!.values[i]! - value),
      ),
    ]),
  );
}

// Plain sgd over a few steps from equal weights, epoch after epoch: the change of every weight is the gradient, so that
// one wrong mask bit, sample, target, slot or state in one step is far outside the tolerance.
describe("a few steps of sgd change every weight as the gradients say", () => {
  test.each(combinations)("$title", async ({ model: spec, training, initial }) => {
    const sgd: NativeTrainingSpec = { ...training, optimiser: "sgd", learningRate: 0.5, momentum: 0, lmbd: 0 };
    const how = { ...sgd, batchSize: training.batchSize > 100 ? training.batchSize : Math.min(training.batchSize, 4) };
    const sessions = sessionsOf([3, 2, 4, 2, 3, 2, 2], spec.items, 3);
    const order = ascending(7);
    const support = supportOf(sessions, spec.items);
    const reference = new ReferenceModel(spec, initial);
    reference.prepareTraining(how, support);

    await withModel(spec, async (model) => {
      await model.initialise(initial);
      await model.prepareTraining(how, support, FROM_THE_START);
      for (let epoch = 0; epoch < 12; ++epoch) {
        const before = readParameters(model);
        reference.parameters = copyOf(before);
        const expected = reference.trainEpoch(sessions, order);
        const actual = await model.trainEpoch(sessions, order, { learningRate: how.learningRate }, undefined);
        expect(actual).toMatchObject({ steps: expected.steps, events: expected.events });
        expect(relativeError(actual.loss, expected.loss)).toBeLessThan(1e-5);
        // The difference of two float32 weights is rounded by the weights' own size, at each step.
        expectParameters(
          changes(before, readParameters(model)),
          changes(before, reference.parameters),
          (name, { values }) =>
            1e-4 * largest(values) + expected.steps * 2 ** -23 * largest(reference.parameters.get(name)!.values),
        );
      }
    });
  });
});

/** Trains epochs of one step: sessions of one pair each, all in one batch. `look` sees the native model after each. */
async function singleSteps(
  spec: NativeModelSpec,
  training: NativeTrainingSpec,
  sessions: NativeSessions,
  support: Uint32Array,
  start: Parameters,
  epochs: number,
  look: (after: Parameters, step: TrainedEpoch["trace"][number], expected: Parameters) => void,
): Promise<void> {
  const order = ascending(training.batchSize);
  const reference = new ReferenceModel(spec, { sigma: 0, normal: false, seed: 0 });
  reference.prepareTraining(training, support);
  await withModel(spec, async (model: NativeModel) => {
    await model.prepareTraining(training, support, FROM_THE_START);
    for (let epoch = 0; epoch < epochs; ++epoch) {
      writeParameters(model, start);
      reference.parameters = copyOf(start);
      const { trace } = reference.trainEpoch(sessions, order);
      expect(trace).toHaveLength(1);
      const { steps } = await model.trainEpoch(sessions, order, { learningRate: training.learningRate }, undefined);
      expect(steps).toBe(1);
      look(readParameters(model), trace[0]!, reference.parameters);
    }
  });
}

// With all weights 0 every column has the same probability, so the change of By counts each item's columns exactly.
describe("negative samples are the documented ones, read off the change of By", () => {
  test.each([
    { sampleAlpha: 0, seed: 42, sampleStore: 0 },
    { sampleAlpha: 0.5, seed: 1, sampleStore: 1 },
    { sampleAlpha: 0.75, seed: 2 ** 33 + 5, sampleStore: 200 },
    { sampleAlpha: 1, seed: 7, sampleStore: 10_000 },
  ])("sampleAlpha $sampleAlpha, seed $seed, sampleStore $sampleStore", async ({ sampleAlpha, seed, sampleStore }) => {
    const spec: NativeModelSpec = { ...plainModel, items: 257, layers: [3], finalAct: { kind: "softmax_logit" } };
    const B = 5;
    const N = 67;
    const training: NativeTrainingSpec = {
      ...plainTraining,
      loss: "xe_logit",
      optimiser: "sgd",
      learningRate: 1,
      batchSize: B,
      nSample: N,
      sampleAlpha,
      seed,
      sampleStore,
    };
    const sessions = sessionsOf(new Array<number>(B).fill(2), spec.items, 4);
    const support = supportOf(sessions, spec.items).map((count, item) => count + ((item * 37) % 23));
    const zero = new ReferenceModel(spec, { sigma: 0, normal: false, seed: 0 }).parameters;
    for (const { values } of zero.values()) values.fill(0);

    await singleSteps(spec, training, sessions, support, zero, 25, (after, { input }) => {
      const expected = new Array<number>(spec.items).fill(0);
      for (const item of [...input.targets, ...input.samples]) expected[item]! += 1;
      const isTarget = (item: number): number => input.targets.filter((target) => target === item).length / B;
      const counts = expected.map((_, item) => {
        const gradient = -after.get("output.bias")!.at(item, 0);
        return Math.round((gradient + isTarget(item)) * (B + N) * 1000) / 1000;
      });
      expect(counts).toEqual(expected);
    });
  });
});

// The gradient of a dropped element is 0, of a kept one not: the rows that the step changed show the mask bit by bit.
describe("dropout masks are the documented ones, read off the gradients", () => {
  const B = 7;
  const inputs = [4, 8, 15, 16, 23, 42, 50];
  const sessions = {
    items: Int32Array.from(inputs.flatMap((item, row) => [item, row])),
    offsets: Int32Array.from({ length: B + 1 }, (_, row) => 2 * row),
  };
  const support = supportOf(sessions, plainModel.items);
  const training: NativeTrainingSpec = { ...plainTraining, optimiser: "sgd", batchSize: B, seed: 2 ** 35 + 99 };

  // 24 random bits that step 0 draws for row 3, column 11: the threshold at them keeps the element, the next one drops it.
  const drawn = new RandomNumbers(training.seed, purposes.inputDropout, 0).upper24(3 * 19 + 11);

  test.each([0.01, 0.2, 0.5, 0.9, drawn / 2 ** 24, (drawn + 0.5) / 2 ** 24, (drawn + 1) / 2 ** 24])(
    "input dropout %d, the rows of E",
    async (dropoutEmbed) => {
      const spec: NativeModelSpec = { ...plainModel, embedding: "separate", embeddingSize: 19 };
      const start = new ReferenceModel(spec, { sigma: 0, normal: false, seed: 3 }).parameters;
      start.get("input.embedding")!.values.fill(0); // so that no change is too small for a float32
      let dropped = 0;
      await singleSteps(spec, { ...training, dropoutEmbed }, sessions, support, start, 15, (after, { input }) => {
        inputs.forEach((item, row) => {
          const kept = [...after.get("input.embedding")!.row(item)].map((value) => value !== 0);
          const expected = [...input.inputMask!.row(row)].map((factor) => factor !== 0);
          expect(kept).toEqual(expected);
          dropped += expected.filter((keep) => !keep).length;
        });
      });
      expect(dropped).toBeGreaterThan(0);
    },
  );

  test.each([0.01, 0.2, 0.5, 0.9])("hidden dropout %d of the first layer, the rows of Wx0", async (dropoutHidden) => {
    const spec: NativeModelSpec = { ...plainModel, embedding: "none", layers: [21] };
    const start = new ReferenceModel(spec, { sigma: 0, normal: false, seed: 3 }).parameters;
    start.get("input.weight")!.values.fill(0);
    let dropped = 0;
    await singleSteps(spec, { ...training, dropoutHidden }, sessions, support, start, 15, (after, { input }) => {
      inputs.forEach((item, row) => {
        const kept = [...after.get("input.weight")!.row(item).subarray(0, 21)].map((value) => value !== 0);
        const expected = [...input.hiddenMasks[0]!.row(row)].map((factor) => factor !== 0);
        expect(kept).toEqual(expected);
        dropped += expected.filter((keep) => !keep).length;
      });
    });
    expect(dropped).toBeGreaterThan(0);
  });

  // One row, so that the bias of the second layer shows the mask of its only row.
  test.each([0.2, 0.9])("hidden dropout %d of the second layer, its bias", async (dropoutHidden) => {
    const spec: NativeModelSpec = { ...plainModel, embedding: "none", layers: [33, 21] };
    const start = new ReferenceModel(spec, { sigma: 0, normal: false, seed: 3 }).parameters;
    const one = { ...training, batchSize: 1, dropoutHidden };
    await singleSteps(spec, one, sessionsOf([2], spec.items, 1), support, start, 30, (after, { input }) => {
      const kept = [...after.get("layers.1.bias")!.row(0).subarray(0, 21)].map((value) => value !== 0);
      expect(kept).toEqual([...input.hiddenMasks[1]!.row(0)].map((factor) => factor !== 0));
    });
  });
});

// A row whose input is all dropped and whose state is 0 gives candidate sums of exactly 0; zero weights give such scores.
describe("slopes of activations at exactly 0", () => {
  const activations: NativeActivation[] = [
    { kind: "linear" },
    { kind: "relu" },
    { kind: "tanh" },
    { kind: "leaky", alpha: 0.2 },
    { kind: "elu", alpha: 0.5 },
    { kind: "selu", lambda: 1.05, alpha: 1.67 },
  ];
  for (const [name, bias] of [
    ["hiddenAct", "layers.0.bias"],
    ["finalAct", "output.bias"],
  ] as const) {
    test.each(activations)(`${name} $kind`, async (activation) => {
      const spec: NativeModelSpec = {
        ...plainModel,
        embedding: "separate",
        embeddingSize: 3,
        finalAct: { kind: "linear" },
        [name]: activation,
      };
      const training: NativeTrainingSpec = {
        ...plainTraining,
        loss: "bpr",
        optimiser: "sgd",
        learningRate: 1,
        batchSize: 2,
      };
      const sessions = sessionsOf([2, 2], spec.items, 3);
      const support = supportOf(sessions, spec.items);
      const start = new ReferenceModel(spec, { sigma: 0, normal: false, seed: 3 }).parameters;
      start.get("input.embedding")!.values.fill(0);
      await singleSteps(spec, training, sessions, support, start, 1, (after, _step, expected) => {
        expect(largest(after.get(bias)!.values) > 0).toBe(activation.kind !== "relu");
        expectParameters(after, expected, () => 1e-6);
      });
    });
  }
});

// Where exponentials over- or underflow and the epsilons inside the logarithms decide.
describe("losses and gradients of hopeless and of certain targets", () => {
  const finalActs = { "cross-entropy": "softmax", xe_logit: "softmax_logit" } as const;
  for (const loss of ["cross-entropy", "xe_logit", "bpr", "bpr-max", "top1", "top1-max"] as const) {
    test.each([20, 57, 60, 500])(`${loss}, scores up to +-%d`, async (size) => {
      const kind = loss === "cross-entropy" || loss === "xe_logit" ? finalActs[loss] : "linear";
      const spec: NativeModelSpec = { ...plainModel, finalAct: { kind } };
      const training: NativeTrainingSpec = {
        ...plainTraining,
        loss,
        bpreg: 1e-4,
        optimiser: "sgd",
        learningRate: 1,
        batchSize: 3,
        nSample: 5,
      };
      const sessions = { items: Int32Array.of(7, 0, 8, 1, 9, 2), offsets: Int32Array.of(0, 2, 4, 6) };
      const support = supportOf(sessions, spec.items);
      const reference = new ReferenceModel(spec, { sigma: 0, normal: false, seed: 6 });
      reference.parameters.get("output.bias")!.values.set([-size, size]);
      reference.prepareTraining(training, support);
      await withModel(spec, async (model) => {
        writeParameters(model, reference.parameters);
        const before = readParameters(model);
        await model.prepareTraining(training, support, FROM_THE_START);
        const expected = reference.trainEpoch(sessions, ascending(3));
        const actual = await model.trainEpoch(
          sessions,
          ascending(3),
          { learningRate: training.learningRate },
          undefined,
        );
        expect(relativeError(actual.loss, expected.loss)).toBeLessThan(1e-5);
        expectParameters(
          changes(before, readParameters(model)),
          changes(before, reference.parameters),
          // 2^-126: what float32 rounds to 0.
          (name, { values }) => 1e-4 * largest(values) + 2 ** -23 * largest(before.get(name)!.values) + 2 ** -126,
        );
      });
    });
  }
});

test("a second prepareTraining starts steps, epochs and optimiser anew and keeps the weights", async () => {
  const spec = plainModel;
  const training = { ...plainTraining, dropoutEmbed: 0.3, dropoutHidden: 0.2, momentum: 0.4, randomOrder: true };
  const initial = { sigma: 0, normal: false, seed: 11 };
  const sessions = sessionsOf([3, 2, 4, 2, 3, 2, 2, 5], spec.items, 5);
  const support = supportOf(sessions, spec.items);
  const order = ascending(8);
  const reference = new ReferenceModel(spec, initial);
  await withModel(spec, async (model) => {
    await model.initialise(initial);
    for (const learningRate of [0.1, 0.05]) {
      await model.prepareTraining({ ...training, learningRate }, support, FROM_THE_START);
      reference.prepareTraining({ ...training, learningRate }, support);
      for (let epoch = 0; epoch < 2; ++epoch) {
        const expected = reference.trainEpoch(sessions, order);
        const actual = await model.trainEpoch(sessions, order, { learningRate }, undefined);
        expect(relativeError(actual.loss, expected.loss)).toBeLessThan(1e-5);
      }
      await model.finishTraining(true);
    }
    expectParameters(readParameters(model), reference.parameters, (_, { values }) => 1e-4 * largest(values));
  });
});
