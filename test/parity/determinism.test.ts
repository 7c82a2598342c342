import type { NativeModelSpec, NativeTrainingSpec } from "../../lib/native/addon";
import { bits, parameterBits } from "./compare";
import { combinations, plainModel, plainTraining, randomSessions, scrambled, supportOf } from "./fixtures";
import { FROM_THE_START, withModel } from "./native";

jest.setTimeout(120_000);

/** Bits of all parameters, losses, ranks, scores and lists of a short run. */
async function runBits(spec: NativeModelSpec, training: NativeTrainingSpec, threads = 1): Promise<unknown> {
  const sessions = randomSessions(120, 6, spec.items, 9);
  const support = supportOf(sessions, spec.items);
  return withModel(
    spec,
    async (model) => {
      await model.initialise({ sigma: 0, normal: false, seed: 4 });
      await model.prepareTraining(training, support, FROM_THE_START);
      const losses: number[] = [];
      for (let epoch = 0; epoch < 2; ++epoch) {
        const { learningRate } = training;
        const { loss } = await model.trainEpoch(sessions, scrambled(120), { learningRate }, undefined);
        losses.push(loss);
      }
      await model.finishTraining(true);
      const { items, scores } = await model.recommend({ sessions, k: 10 }, undefined);
      return {
        losses,
        parameters: parameterBits(model),
        ranks: await model.evaluate(sessions, { ties: "median", batchSize: 50 }, undefined),
        items,
        topScores: bits(scores),
        scores: bits(await model.predict(sessions, undefined, undefined)),
      };
    },
    threads,
  );
}

// Large enough that the work is split between threads.
const wide: [string, NativeModelSpec, NativeTrainingSpec][] = [
  [
    "cross-entropy, shared",
    { ...plainModel, items: 1500, layers: [100] },
    { ...plainTraining, batchSize: 40, nSample: 700, logq: 1, dropoutEmbed: 0.2 },
  ],
  [
    "bpr-max, separate, layers 80/65, gradCap, adam",
    {
      ...plainModel,
      items: 1500,
      embedding: "separate",
      embeddingSize: 70,
      layers: [80, 65],
      resetAfter: true,
      finalAct: { kind: "elu", alpha: 0.5 },
    },
    {
      ...plainTraining,
      loss: "bpr-max",
      batchSize: 50,
      nSample: 500,
      optimiser: "adam",
      learningRate: 0.002,
      gradCap: 0.4,
      dropoutHidden: 0.1,
    },
  ],
  [
    "top1-max, none, momentum",
    { ...plainModel, items: 1500, embedding: "none", layers: [96], finalAct: { kind: "tanh" } },
    { ...plainTraining, loss: "top1-max", batchSize: 64, nSample: 300, momentum: 0.2 },
  ],
];

describe("same seed, same bits", () => {
  test.each(wide)("with 1, 2 and 5 threads: %s", async (_, spec, training) => {
    const one = await runBits(spec, training, 1);
    expect(await runBits(spec, training, 2)).toEqual(one);
    expect(await runBits(spec, training, 5)).toEqual(one);
  });

  test.each(combinations)("in two runs: $title", async ({ model, training }) => {
    expect(await runBits(model, training, 2)).toEqual(await runBits(model, training, 2));
  });

  test("whatever sampleStore is", async () => {
    const [, spec, training] = wide[0]!;
    const all = await Promise.all(
      [0, 1, training.nSample - 1, 3 * training.nSample + 7, 10_000_000].map((sampleStore) =>
        runBits(spec, { ...training, sampleStore }),
      ),
    );
    for (const other of all.slice(1)) expect(other).toEqual(all[0]);
  });

  test("and another seed gives other ones", async () => {
    const [, spec, training] = wide[0]!;
    expect(await runBits(spec, { ...training, seed: 43 })).not.toEqual(await runBits(spec, training));
  });
});
