import type { NativeDeviceOptions, NativeModel, NativeModelSpec, NativeTrainingSpec } from "../../lib/native/addon";
import { describeEmulated, EMULATED_GPU, emulatedEnvironment } from "../support/cuda";
import { runScript } from "../support/processes";
import { bits, parameterBits, readParameters, writeParameters } from "./compare";
import { combinations, plainModel, plainTraining, randomSessions, scrambled, sessionsOf, supportOf } from "./fixtures";
import { CPU, FROM_THE_START, withModelOn } from "./native";
import { expectTrainingAsReference } from "./train-as-reference";

// The CUDA back end on the emulated GPU, all the way through the addon.
jest.setTimeout(600_000);

const OWN_PRODUCTS: NativeDeviceOptions = { ...EMULATED_GPU, cublasPath: "none" };

async function trainShortly(model: NativeModel, spec: NativeModelSpec, training: NativeTrainingSpec): Promise<number> {
  const sessions = randomSessions(40, 6, spec.items, 9);
  await model.initialise({ sigma: 0, normal: false, seed: 4 });
  await model.prepareTraining(training, supportOf(sessions, spec.items), FROM_THE_START);
  const { learningRate } = training;
  const { loss } = await model.trainEpoch(sessions, scrambled(40), { learningRate }, undefined);
  await model.finishTraining(true);
  return loss;
}

describeEmulated("the emulated GPU trains as the reference", () => {
  test.each(combinations)("$title", (combination) => expectTrainingAsReference(EMULATED_GPU, combination));

  test.each(combinations.slice(0, 3))("with the package's own products: $title", (combination) =>
    expectTrainingAsReference(OWN_PRODUCTS, combination),
  );
});

describeEmulated("the same weights on the emulated GPU and on the CPU", () => {
  test.each(combinations)("$title", async ({ model: spec, training }) => {
    await withModelOn(EMULATED_GPU, spec, async (gpu) => {
      await trainShortly(gpu, spec, training);
      await withModelOn(CPU, spec, async (cpu) => {
        writeParameters(cpu, readParameters(gpu));
        await expectSameRanks(gpu, cpu, spec);
        await expectSameLists(gpu, cpu, spec);
      });
    });
  });
});

/** How much two scores may differ by rounding. */
const ROUNDING = 1e-5;

/** Ranks are equal, unless another item's score is within rounding of the target's. */
async function expectSameRanks(gpu: NativeModel, cpu: NativeModel, spec: NativeModelSpec): Promise<void> {
  const sessions = randomSessions(12, 6, spec.items, 6);
  // One session after the other, so that ranks come in the order of the events.
  const options = { ties: "standard", batchSize: 1 } as const;
  const [ours, expected] = [
    await gpu.evaluate(sessions, options, undefined),
    await cpu.evaluate(sessions, options, undefined),
  ];
  expect(ours).toHaveLength(expected.length);
  let target = 0;
  for (let s = 0; s + 1 < sessions.offsets.length; ++s) {
    const [first, end] = [sessions.offsets[s]!, sessions.offsets[s + 1]!];
    for (let event = first; event + 1 < end; ++event, ++target) {
      if (ours[target] === expected[target]) continue;
      const begin = { items: sessions.items.slice(first, event + 1), offsets: Int32Array.of(0, event + 1 - first) };
      const scores = await cpu.predict(begin, undefined, undefined);
      const own = scores[sessions.items[event + 1]!]!;
      const near = scores.filter((score) => Math.abs(score - own) <= ROUNDING * Math.max(1, Math.abs(own))).length - 1;
      expect(Math.abs(ours[target]! - expected[target]!)).toBeLessThanOrEqual(near);
    }
  }
  // Larger batches and candidates change nothing.
  const candidates = Int32Array.from({ length: spec.items }, (_, i) => i);
  const sorted = async (more: object) =>
    [...(await gpu.evaluate(sessions, { ...options, ...more }, undefined))].sort((a, b) => a - b);
  expect(await sorted({ batchSize: 7 })).toEqual(await sorted({}));
  expect(await sorted({ candidates })).toEqual(await sorted({}));
}

/** The scores of the lists are the same within rounding, and predict gives the same scores. */
async function expectSameLists(gpu: NativeModel, cpu: NativeModel, spec: NativeModelSpec): Promise<void> {
  const sessions = sessionsOf([3, 1, 0, 5, 2], spec.items, 12);
  const near = (ours: Float32Array, expected: Float32Array) =>
    ours.forEach((score, i) =>
      expect(Math.abs(score - expected[i]!)).toBeLessThanOrEqual(ROUNDING * Math.max(1, Math.abs(expected[i]!))),
    );
  const lists = async (model: NativeModel) => model.recommend({ sessions, k: 10 }, undefined);
  const [ours, expected] = [await lists(gpu), await lists(cpu)];
  near(ours.scores, expected.scores);
  const scores = await gpu.predict(sessions, undefined, undefined);
  near(scores, await cpu.predict(sessions, undefined, undefined));
  // A list holds the scores that its items have.
  ours.items.forEach((item, i) =>
    near(ours.scores.slice(i, i + 1), scores.slice(Math.floor(i / 10) * spec.items + item)),
  );
}

describeEmulated("odd requests on the emulated GPU", () => {
  const spec = { ...plainModel, items: 40 };
  const all = Int32Array.from({ length: spec.items }, (_, i) => i);
  const withWeights = (use: (model: NativeModel) => Promise<void>) =>
    withModelOn(EMULATED_GPU, spec, async (model) => {
      await model.initialise({ sigma: 0, normal: false, seed: 4 });
      await use(model);
    });

  test("all items excluded: no item; fewer candidates than places: none behind the last", async () => {
    await withWeights(async (model) => {
      const sessions = sessionsOf([2, 0], spec.items, 1);
      const exclusions = { items: Int32Array.of(...all, 7), starts: Int32Array.of(0, spec.items, spec.items + 1) };
      const { items } = await model.recommend({ sessions, k: spec.items, exclusions }, undefined);
      expect([...items.slice(0, spec.items)]).toEqual(Array<number>(spec.items).fill(-1));
      expect(new Set(items.slice(spec.items))).toEqual(new Set([...all.filter((item) => item !== 7), -1]));
      const few = await model.recommend({ sessions, k: 5, candidates: Int32Array.of(3, 11) }, undefined);
      expect([...few.items.slice(2, 5)]).toEqual([-1, -1, -1]);
      expect(new Set(few.items)).toEqual(new Set([3, 11, -1]));
    });
  });

  test("nothing to rank, score or train", async () => {
    await withWeights(async (model) => {
      const none = { items: new Int32Array(), offsets: Int32Array.of(0) };
      expect(await model.evaluate(none, { ties: "median", batchSize: 4 }, undefined)).toHaveLength(0);
      expect((await model.recommend({ sessions: none, k: 5 }, undefined)).items).toHaveLength(0);
      expect(await model.predict(none, undefined, undefined)).toHaveLength(0);
      await model.prepareTraining(plainTraining, supportOf(none, spec.items), FROM_THE_START);
      const epoch = await model.trainEpoch(none, new Int32Array(), { learningRate: 0.1 }, undefined);
      expect(epoch).toMatchObject({ steps: 0, events: 0, loss: 0 });
    });
  });

  test("scores that are no numbers: an error that names epoch and step, or the session", async () => {
    await withWeights(async (model) => {
      const sessions = randomSessions(20, 4, spec.items, 2);
      const training = { ...plainTraining, loss: "bpr-max", optimiser: "sgd", learningRate: 1e38 } as const;
      const linear = { ...spec, finalAct: { kind: "linear" } } as const;
      await withModelOn(EMULATED_GPU, linear, async (diverging) => {
        await diverging.initialise({ sigma: 0, normal: false, seed: 4 });
        await diverging.prepareTraining(training, supportOf(sessions, spec.items), FROM_THE_START);
        await expect(
          diverging.trainEpoch(sessions, scrambled(20), { learningRate: 1e38 }, undefined),
        ).rejects.toMatchObject({
          code: "ERR_NOT_FINITE",
          message: expect.stringMatching(/epoch 1, step \d+/) as string,
        });
      });
      model.writeTensor("output.bias", 9, Float32Array.of(NaN));
      const error = { code: "ERR_NOT_FINITE" };
      await expect(model.recommend({ sessions, k: 5 }, undefined)).rejects.toMatchObject(error);
      await expect(model.evaluate(sessions, { ties: "median", batchSize: 4 }, undefined)).rejects.toMatchObject(error);
    });
  });
});

describeEmulated("same seed, same bits on the emulated GPU", () => {
  const run = (device: NativeDeviceOptions, spec: NativeModelSpec, training: NativeTrainingSpec) =>
    withModelOn(device, spec, async (model) => {
      const loss = await trainShortly(model, spec, training);
      const sessions = randomSessions(20, 6, spec.items, 3);
      const { items, scores } = await model.recommend({ sessions, k: 10 }, undefined);
      return {
        loss,
        parameters: parameterBits(model),
        ranks: await model.evaluate(sessions, { ties: "median", batchSize: 8 }, undefined),
        items,
        scores: bits(scores),
      };
    });

  test.each(combinations)("in two runs: $title", async ({ model, training }) => {
    const first = await run(EMULATED_GPU, model, training);
    expect(await run(EMULATED_GPU, model, training)).toEqual(first);
  });

  test("whatever sampleStore and stepsPerLaunch are", async () => {
    const training = { ...plainTraining, logq: 1 };
    const plain = await run(OWN_PRODUCTS, plainModel, training);
    for (const other of [
      { sampleStore: 0 },
      { stepsPerLaunch: 0 },
      { stepsPerLaunch: 1 },
      { stepsPerLaunch: 5 },
      { stepsPerLaunch: "auto" },
    ] as const) {
      expect(await run(OWN_PRODUCTS, plainModel, { ...training, ...other })).toEqual(plain);
    }
  });

  // Of a process of its own, as the emulator reads its environment once.
  const script = `
    const { createHash } = require("node:crypto");
    const { readFileSync, rmSync, mkdtempSync } = require("node:fs");
    const { join } = require("node:path");
    const { tmpdir } = require("node:os");
    const columns = { sessionId: [], itemId: [], time: [] };
    for (let i = 0; i < 240; ++i) {
      columns.sessionId.push(i >> 2);
      columns.itemId.push((i * 7919) % 61);
      columns.time.push(i);
    }
    const common = { device: "cuda", precision: "float32", nEpochs: 2, batchSize: 8, nSample: 40, sampleStore: 400 };
    const networks = [
      { loss: "bpr-max", layers: [20, 12], gradCap: 0.5, adapt: "adam", learningRate: 0.01, dropoutHidden: 0.2 },
      { loss: "cross-entropy", layers: [24], embedding: "none", momentum: 0.2, resetAfter: true },
      { loss: "top1-max", layers: [16], embedding: 12, adapt: "rmsprop", lmbd: 0.01, dropoutEmbed: 0.2 },
    ];
    (async () => {
      const folder = mkdtempSync(join(tmpdir(), "gru4rec-"));
      for (const network of networks) {
        const model = await gru4rec.train(columns, { ...common, ...network });
        await model.save(join(folder, "model"));
        const bytes = readFileSync(join(folder, "model"));
        const header = Number(bytes.readBigUInt64LE(0)); // which holds the seconds of the epochs
        const lists = await model.recommend([[1, 2, 3], [5]], { k: 20 });
        const { recall, mrr } = await model.evaluate(columns, { k: [1, 5] });
        const all = createHash("sha256").update(bytes.subarray(8 + header)).update(JSON.stringify([lists, recall, mrr]));
        console.log(all.digest("hex"));
        model.dispose();
      }
      rmSync(folder, { recursive: true });
    })();
  `;
  test("with every schedule of threads and streams", async () => {
    const schedules = [
      { SCHEDULE: "forward", STREAMS: "eager" },
      { SCHEDULE: "reverse" },
      { SCHEDULE: "random", STREAMS: "random" },
      { SCHEDULE: "uniform", RESIDENT: 3 },
      { SCHEDULE: "mix", SEED: 2 },
      { SCHEDULE: "mix", SEED: 3, SMS: 9 },
    ];
    const outcomes = [];
    for (const schedule of schedules) outcomes.push(await runScript(script, emulatedEnvironment(schedule)));
    expect(outcomes[0]).toMatchObject({ code: 0, stderr: "" });
    expect(outcomes[0]!.stdout).toMatch(/^([0-9a-f]{64}\n){3}$/);
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
  });
});
