import type { NativeActivation, NativeModel, NativeModelSpec, NativeSessions } from "../../lib/native/addon";
import type { Parameters } from "../reference/parameters";
import { ReferenceModel } from "../reference/model";
import { schedule } from "../reference/schedule";
import { bits, writeParameters } from "./compare";
import { ascending, plainModel, randomSessions, sessionsOf, testNumbers } from "./fixtures";
import { withModel } from "./native";

const tieModes = ["standard", "conservative", "median"] as const;
const batchSizes = [1, 3, 16, 200];

/** Both models with the weights that `change` makes of the initial ones, rounded to float32. */
async function withBoth(
  spec: NativeModelSpec,
  change: (parameters: Parameters) => void,
  use: (model: NativeModel, reference: ReferenceModel) => Promise<void>,
): Promise<void> {
  const reference = new ReferenceModel(spec, { sigma: 0.5, normal: false, seed: 8 });
  change(reference.parameters);
  for (const { values } of reference.parameters.values()) values.set(Float32Array.from(values));
  await withModel(spec, async (model) => {
    writeParameters(model, reference.parameters);
    await use(model, reference);
  });
}

function spreadBiases(parameters: Parameters): void {
  const random = testNumbers(21);
  for (const [name, { values }] of parameters) {
    if (name.endsWith("bias")) values.forEach((_, i) => (values[i] = random() - 0.5));
  }
}

/**
 * Weights that make all states and scores small integers, exact in float32 too, with many ties: the update gate is 1,
 * the candidate a sum of integers.
 */
function makeTies(parameters: Parameters): void {
  const random = testNumbers(33);
  const integer = (): number => Math.floor(random() * 3) - 1;
  for (const [name, { values, cols }] of parameters) {
    if (name.endsWith("gates.weight")) values.fill(0);
    else if (name.startsWith("layers.") && name.endsWith("bias")) {
      values.forEach((_, i) => (values[i] = i < cols / 3 ? integer() : 200));
    } else if (name.endsWith("candidate.weight")) {
      const hidden = cols; // the rows of the old state do not count, so that states stay small
      values.forEach((_, i) => (values[i] = Math.floor(i / cols) < hidden ? 0 : integer()));
    } else values.forEach((_, i) => (values[i] = integer()));
  }
}

const models: Record<string, NativeModelSpec> = {
  shared: { ...plainModel, items: 67 },
  "none, layers 7/12": { ...plainModel, items: 67, embedding: "none", layers: [7, 12] },
  "separate, reset after, layers 9/5": {
    ...plainModel,
    items: 67,
    embedding: "separate",
    embeddingSize: 4,
    layers: [9, 5],
    resetAfter: true,
  },
};
const tied: NativeModelSpec = { ...plainModel, items: 67, hiddenAct: { kind: "linear" }, layers: [6] };

async function expectRanks(model: NativeModel, reference: ReferenceModel, sessions: NativeSessions): Promise<void> {
  for (const ties of tieModes) {
    for (const batchSize of batchSizes) {
      for (const candidates of [undefined, Int32Array.of(0, 3, 4, 11, 30, 31, 32, 60, 66)]) {
        const options = { ties, batchSize, ...(candidates && { candidates }) };
        const ranks = await model.evaluate(sessions, options, undefined);
        expect([...ranks]).toEqual(reference.evaluate(sessions, options));
      }
    }
  }
}

describe("ranks of targets equal sorting", () => {
  test.each(Object.entries(models))("%s", async (_, spec) => {
    await withBoth(spec, spreadBiases, async (model, reference) => {
      await expectRanks(model, reference, randomSessions(40, 7, spec.items, 6));
    });
  });

  test("with ties everywhere, in the three modes", async () => {
    await withBoth(tied, makeTies, async (model, reference) => {
      const sessions = randomSessions(40, 7, tied.items, 6);
      const [standard, conservative, median] = tieModes.map((ties) =>
        reference.evaluate(sessions, { ties, batchSize: 8 }),
      ) as [number[], number[], number[]];
      const tieCount = standard.filter((rank, i) => rank !== conservative[i]).length;
      expect(tieCount).toBeGreaterThan(standard.length / 2);
      expect(new Set(median.map((rank) => rank % 1))).toEqual(new Set([0, 0.5]));
      await expectRanks(model, reference, sessions);
    });
  });

  test("a constant model: all items tie", async () => {
    const zero = (parameters: Parameters): void => {
      for (const { values } of parameters.values()) values.fill(0);
    };
    await withBoth(plainModel, zero, async (model) => {
      const sessions = randomSessions(5, 4, plainModel.items, 6);
      const ranks = await Promise.all(
        tieModes.map(async (ties) => [...new Set(await model.evaluate(sessions, { ties, batchSize: 2 }, undefined))]),
      );
      expect(ranks).toEqual([[1], [53], [27]]);
    });
  });

  test("sessions of one event or none give no rank", async () => {
    await withBoth(plainModel, spreadBiases, async (model, reference) => {
      const sessions = sessionsOf([1, 3, 0, 2, 1, 1, 4, 0], plainModel.items, 2);
      for (const batchSize of batchSizes) {
        const options = { ties: "standard", batchSize } as const;
        const ranks = await model.evaluate(sessions, options, undefined);
        expect([...ranks]).toEqual(reference.evaluate(sessions, options));
      }
      const none = await model.evaluate(sessionsOf([1, 0], 53, 2), { ties: "median", batchSize: 4 }, undefined);
      expect([...none]).toEqual([]);
    });
  });
});

// Scores that fall with the item index: the rank of a target is its index + 1, so that ranks show the walk itself.
test("the walk over random sessions is the session-parallel schedule, target by target", async () => {
  const falling = (parameters: Parameters): void => {
    parameters.get("output.weight")!.values.fill(0);
    parameters.get("output.bias")!.values.forEach((_, item, bias) => (bias[item] = -item));
  };
  const spec: NativeModelSpec = { ...plainModel, embedding: "separate", embeddingSize: 3, layers: [2], items: 400 };
  await withBoth(spec, falling, async (model) => {
    for (let seed = 0; seed < 40; ++seed) {
      const random = testNumbers(seed);
      const count = Math.floor(random() * 30);
      const sessions = randomSessions(count, 2 + Math.floor(random() * 9), spec.items, 100 + seed);
      const batchSize = 1 + Math.floor(random() * 12);
      const ranks = await model.evaluate(sessions, { ties: "standard", batchSize }, undefined);
      const walk = schedule(sessions, ascending(count), batchSize).flat();
      expect([...ranks]).toEqual(walk.map(({ target }) => target + 1));
    }
  });
});

describe("scores of predict", () => {
  const finals: NativeActivation[] = [
    { kind: "softmax" },
    { kind: "softmax_logit" },
    { kind: "linear" },
    { kind: "relu" },
    { kind: "tanh" },
    { kind: "leaky", alpha: 0.3 },
    { kind: "elu", alpha: 0.5 },
    { kind: "selu", lambda: 1.05, alpha: 1.67 },
  ];
  const requests: Record<string, Int32Array | undefined> = {
    "all items": undefined,
    "a few, in their order": Int32Array.of(7, 3, 66, 0, 30),
  };

  for (const finalAct of finals) {
    for (const [title, items] of Object.entries(requests)) {
      test(`${finalAct.kind}, ${title}`, async () => {
        const spec: NativeModelSpec = { ...models["none, layers 7/12"]!, finalAct };
        await withBoth(spec, spreadBiases, async (model, reference) => {
          const sessions = sessionsOf([3, 1, 0, 5, 2, 1, 9], spec.items, 12);
          const scores = await model.predict(sessions, items, undefined);
          const expected = reference.predict(sessions, items).flatMap((row) => [...row]);
          expect(scores).toHaveLength(expected.length);
          scores.forEach((score, i) => expect(Math.abs(score - expected[i]!)).toBeLessThan(3e-6));
        });
      });
    }
  }

  test.each(Object.entries(models))("states of %s", async (_, spec) => {
    await withBoth({ ...spec, finalAct: { kind: "linear" } }, spreadBiases, async (model, reference) => {
      const sessions = sessionsOf([3, 1, 0, 5, 2, 1, 9], spec.items, 12);
      const scores = await model.predict(sessions, undefined, undefined);
      const expected = reference.predict(sessions).flatMap((row) => [...row]);
      scores.forEach((score, i) => expect(Math.abs(score - expected[i]!)).toBeLessThan(3e-6));
    });
  });

  test("a session's scores have the same bits alone and among others", async () => {
    const spec = models["separate, reset after, layers 9/5"]!;
    await withBoth(spec, spreadBiases, async (model) => {
      const lengths = [3, 1, 0, 5, 2, 1, 9, 4, 4, 2, 7];
      const sessions = sessionsOf(lengths, spec.items, 12);
      const together = bits(await model.predict(sessions, undefined, undefined));
      for (let s = 0; s < lengths.length; ++s) {
        const items = sessions.items.slice(sessions.offsets[s], sessions.offsets[s + 1]);
        const one = { items, offsets: Int32Array.of(0, items.length) };
        const alone = bits(await model.predict(one, undefined, undefined));
        expect(alone).toEqual(together.slice(s * spec.items, (s + 1) * spec.items));
      }
    });
  });
});

describe("recommend equals sorting all scores", () => {
  const exclusions = {
    starts: Int32Array.of(0, 3, 3, 4, 8, 8, 8, 9),
    items: Int32Array.of(1, 2, 60, 5, 0, 1, 2, 3, 66),
  };
  const few = Int32Array.of(0, 2, 5, 6, 31, 32, 33, 64, 66);
  const requests = {
    "k 1": { k: 1 },
    "k 20": { k: 20 },
    "k = items": { k: 67 },
    candidates: { k: 5, candidates: few },
    "fewer candidates than k": { k: 20, candidates: few },
    exclusions: { k: 10, exclusions },
    "candidates and exclusions": { k: 9, candidates: few, exclusions },
    "batches of two": { k: 20, exclusions, batchSize: 2 },
  };
  const weights: Record<string, [NativeModelSpec, (parameters: Parameters) => void]> = {
    shared: [models.shared!, spreadBiases],
    "none, tanh of scores": [{ ...models["none, layers 7/12"]!, finalAct: { kind: "tanh" } }, spreadBiases],
    "separate, raw scores": [
      { ...models["separate, reset after, layers 9/5"]!, finalAct: { kind: "softmax_logit" } },
      spreadBiases,
    ],
    "ties everywhere": [{ ...tied, finalAct: { kind: "linear" } }, makeTies],
    "ties everywhere, softmax": [tied, makeTies],
    "scores that relu makes equal": [{ ...models.shared!, finalAct: { kind: "relu" } }, spreadBiases],
  };
  for (const [name, [spec, change]] of Object.entries(weights)) {
    test.each(Object.entries(requests))(`${name}: %s`, async (_, request) => {
      await withBoth(spec, change, async (model, reference) => {
        const sessions = sessionsOf([3, 1, 0, 5, 2, 1, 9], spec.items, 12);
        const { items, scores } = await model.recommend({ sessions, ...request }, undefined);
        const expected = reference.recommend({ sessions, ...request });
        expect(items).toHaveLength(7 * request.k);
        expect(scores).toHaveLength(7 * request.k);
        expected.forEach((row, s) => {
          const empty = new Array<number>(request.k - row.items.length).fill(-1);
          expect([...items.slice(s * request.k, (s + 1) * request.k)]).toEqual([...row.items, ...empty]);
          row.scores.forEach((score, i) => {
            expect(Math.abs(scores[s * request.k + i]! - score)).toBeLessThan(3e-6 * Math.max(1, Math.abs(score)));
          });
        });
      });
    });
  }
});
