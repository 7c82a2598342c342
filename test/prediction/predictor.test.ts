import { Predictor, train, type Gru4Rec, type ItemId, type SessionId, type TrainOptions } from "../../lib";
import { Vocabulary } from "../../lib/data";
import type { NativeModel } from "../../lib/native";
import { circleClicks, SMALL } from "../support/clicks";
import { expectFailure } from "../support/errors";
import { randomIntegers } from "../support/random";

const ITEMS = 30;
const trained = (options: TrainOptions = {}) => train(circleClicks(), { ...SMALL, loss: "bpr", ...options });

let model: Gru4Rec;
beforeAll(async () => {
  model = await trained();
});
afterAll(() => model.dispose());

/** Events of each slot: its session and what it read so far. */
class Slots {
  readonly #events: { session: SessionId; items: ItemId[] }[] = [];

  /** The sessions of all slots after one more event in each. */
  next(sessionIds: readonly SessionId[], itemIds: readonly ItemId[]): ItemId[][] {
    return sessionIds.map((session, slot) => {
      if (this.#events[slot]?.session !== session) this.#events[slot] = { session, items: [] };
      const { items } = this.#events[slot];
      items.push(itemIds[slot]!);
      return items;
    });
  }
}

describe("next", () => {
  const models = {
    "one layer": {},
    "three layers": { layers: [12, 7, 33] },
    "a softmax and an embedding of its own": { loss: "cross-entropy", embedding: 5, layers: [9, 4], resetAfter: true },
    "one-hot input": { loss: "bpr-max", embedding: "none" },
  } satisfies Record<string, TrainOptions>;
  test.each(Object.entries(models))("has the bits of predict for the whole session (%s)", async (_, options) => {
    const other = await trained(options);
    for (const batchSize of [1, 3, 33]) {
      const predictor = other.predictor({ batchSize });
      const random = randomIntegers(batchSize);
      const sessionIds = Array.from({ length: batchSize }, (_, slot) => slot);
      const slots = new Slots();
      for (let step = 0; step < 12; ++step) {
        // Now and then another session begins in a slot, or a slot reads an item that the model does not know.
        sessionIds.forEach((_, slot) => random(4) === 0 && (sessionIds[slot] = 1_000 * (step + 1) + slot));
        const itemIds = sessionIds.map(() => (random(6) === 0 ? "unknown" : random(ITEMS)));
        const items = step % 3 === 2 ? [5, 1, 5, 29] : undefined;
        const scores = await predictor.next(sessionIds, itemIds, items);
        expect(scores).toEqual(await other.predict(slots.next(sessionIds, itemIds), { items }));
      }
    }
    other.dispose();
  });

  test("starts anew when a slot's session id changes, also back to an earlier one", async () => {
    const predictor = model.predictor({ batchSize: 1 });
    await predictor.next(["a"], [1]);
    expect(await predictor.next(["a"], [2])).toEqual(await model.predict([1, 2]));
    expect(await predictor.next(["b"], [3])).toEqual(await model.predict([3]));
    expect(await predictor.next(["a"], [4])).toEqual(await model.predict([4]));
  });

  test("takes session ids of any kind, the same when their texts are", async () => {
    const predictor = model.predictor({ batchSize: 2 });
    await predictor.next([1, "x"], [1, 2]);
    expect(await predictor.next(["1", "x"], [3, 4])).toEqual(await model.predict([[1, 3], [2, 4]])); // prettier-ignore
    expect(await predictor.next([1n, "y"], [5, 6])).toEqual(await model.predict([[1, 3, 5], [6]])); // prettier-ignore
    const typed = model.predictor({ batchSize: 2 });
    await typed.next(BigInt64Array.of(7n, 8n), Int32Array.of(1, 2));
    const scores = await typed.next(Float64Array.of(7, 9), Int32Array.of(3, 4), Int32Array.of(0, 1));
    expect(scores).toEqual(await model.predict([[1, 3], [4]], { items: [0, 1] }));
  });

  test("an unknown item leaves the slot as it is, and zero where its session has just begun", async () => {
    const predictor = model.predictor({ batchSize: 2 });
    expect(await predictor.next([1, 2], ["x", 5])).toEqual(await model.predict([[], [5]]));
    expect(await predictor.next([1, 2], [6, "x"])).toEqual(await model.predict([[6], [5]]));
    expect(await predictor.next([3, 2], ["x", 7])).toEqual(await model.predict([[], [5, 7]]));
  });

  test("calls that overlap run in their order, with the ids that they were given", async () => {
    const predictor = model.predictor({ batchSize: 1 });
    const sessionIds = ["a"];
    const itemIds = [0];
    const calls: Promise<Float32Array>[] = [];
    for (let item = 0; item < 20; ++item) {
      itemIds[0] = item;
      calls.push(predictor.next(sessionIds, itemIds)); // the same array each time
    }
    sessionIds[0] = "b";
    for (const [item, call] of calls.entries())
      expect(await call).toEqual(await model.predict(Array.from({ length: item + 1 }, (_, i) => i)));
  });

  test("predictors and other calls of one model keep out of each other's way", async () => {
    const [a, b] = [model.predictor({ batchSize: 1 }), model.predictor({ batchSize: 2 })];
    const calls = [a.next([1], [1]), b.next([1, 2], [2, 3]), model.predict([9]), a.next([1], [4])];
    const expected = [[1], [[2], [3]], [9], [1, 4]];
    for (const [i, call] of calls.entries()) expect(await call).toEqual(await model.predict(expected[i] as number[]));
  });
});

test("reset lets all slots start anew, in its turn", async () => {
  const predictor = model.predictor({ batchSize: 1 });
  const calls = [predictor.next([1], [1]), predictor.next([1], [2])];
  predictor.reset();
  calls.push(predictor.next([1], [3]), predictor.next([1], [4]));
  const expected = [[1], [1, 2], [3], [3, 4]];
  for (const [i, call] of calls.entries()) expect(await call).toEqual(await model.predict(expected[i]!));
});

describe("a call that is refused changes nothing:", () => {
  let predictor: Predictor;
  beforeEach(async () => {
    predictor = model.predictor({ batchSize: 2 });
    await predictor.next([1, 2], [1, 2]);
  });
  afterEach(async () => {
    expect(await predictor.next([1, 2], [3, 4])).toEqual(await model.predict([[1, 3], [2, 4]])); // prettier-ignore
  });
  const id = "a safe integer, a 64-bit bigint or non-empty text";
  test.each<[unknown[], string]>([
    [[5, [3, 4]], "Expected sessionIds to be an array with an id for each slot (2 in all) but received 5 (number)"],
    [["ab", [3, 4]], 'Expected sessionIds to be an array with an id for each slot (2 in all) but received "ab" (string)'], // prettier-ignore
    [[[1], [3, 4]], "Expected sessionIds to be an array with an id for each slot (2 in all) but received an array of 1"], // prettier-ignore
    [[[1, 9], [3, 4, 5]], "Expected itemIds to be an array with an id for each slot (2 in all) but received an array of 3"], // prettier-ignore
    [[[1, 9]], "Expected itemIds to be an array with an id for each slot (2 in all) but received undefined"],
    [
      [
        [9, null],
        [3, 4],
      ],
      `Expected sessionIds[1] to be ${id} but received null`,
    ],
    [
      [
        [9, 2],
        [3, 0.5],
      ],
      `Expected itemIds[1] to be ${id} but received 0.5 (number)`,
    ],
    [
      [
        [9, 2],
        [3, 4],
        [1, 99],
      ],
      "Expected itemsToPredict[1] to be an item of the model but received 99 (number)",
    ],
    [[[9, 2], [3, 4], 5], "Expected itemsToPredict to be an array of item ids but received 5 (number)"],
    [[[9, 2], [3, 4], null], "Expected itemsToPredict to be an array of item ids but received null"],
    [[[9, 2], [3, 4], []], "Expected itemsToPredict to be one item or more but received [] (array)"],
    [[[9, 2], [3, 4], [1], 5], "Expected options to be an object but received 5 (number)"],
  ])("%j", async (args, message) => {
    await expectFailure(() => predictor.next(...(args as Parameters<Predictor["next"]>)), "ERR_ARGUMENT", message);
  });

  test("aborted before it began", async () => {
    const signal = AbortSignal.abort("why");
    await expectFailure(() => predictor.next([9, 9], [3, 4], undefined, { signal }), "ERR_ABORTED", "aborted");
  });

  test("aborted while it waits for its turn, which rejects at once", async () => {
    const controller = new AbortController();
    const earlier = predictor.next([1, "x"], [5, 6]);
    const order: string[] = [];
    const waiting = expectFailure(
      () => predictor.next([9, 9], [3, 4], undefined, { signal: controller.signal }),
      "ERR_ABORTED",
      "aborted",
    ).then(() => order.push("aborted"));
    controller.abort();
    await waiting;
    const later = predictor.next([1, "x"], [7, 8]); // waits for the earlier one all the same
    await earlier.then(() => order.push("earlier"));
    expect(order).toEqual(["aborted", "earlier"]);
    // Back to what afterEach expects, by way of what the earlier call has done.
    expect(await later).toEqual(await model.predict([[1, 5, 7], [6, 8]])); // prettier-ignore
    predictor.reset();
    await predictor.next([1, 2], [1, 2]);
  });
});

describe("after a failure in the engine", () => {
  /** An engine whose calls fail as told, and that records the slots in which a session begins. */
  function failingEngine(failures: Record<"openSlots" | "nextInSlots", (string | undefined)[]>) {
    const starts: number[][] = [];
    const outcome = <T>(method: keyof typeof failures, value: T): Promise<T> => {
      const code = failures[method].shift();
      return code === undefined ? Promise.resolve(value) : Promise.reject(Object.assign(new Error("failed"), { code }));
    };
    const native = {
      openSlots: () => outcome("openSlots", {}),
      nextInSlots: (_: unknown, events: { starts: Uint8Array }) => {
        starts.push([...events.starts]);
        return outcome("nextInSlots", new Float32Array(2));
      },
    } as unknown as NativeModel;
    return { starts, predictor: new Predictor(native, new Vocabulary("number", Float64Array.of(1)), { batchSize: 2 }) };
  }

  test.each(["ERR_ABORTED", "ERR_NOT_FINITE", "ERR_OUT_OF_MEMORY"] as const)(
    "(%s) the sessions are where they were before",
    async (code) => {
      const nextInSlots = [undefined, code, undefined, undefined];
      const { predictor, starts } = failingEngine({ openSlots: [], nextInSlots });
      await predictor.next([1, 2], [1, 1]);
      // The later calls are made before the failure is known.
      const failed = expectFailure(() => predictor.next([1, 3], [1, 1]), code, "failed");
      await Promise.all([failed, predictor.next([1, 3], [1, 1]), predictor.next([1, 3], [1, 1])]);
      expect(starts).toEqual([[1, 1], [0, 1], [0, 1], [0, 0]]); // prettier-ignore
    },
  );

  test("when it made the slots the next call makes them", async () => {
    const { predictor, starts } = failingEngine({ openSlots: ["ERR_OUT_OF_MEMORY"], nextInSlots: [] });
    await expectFailure(() => predictor.next([1, 2], [1, 1]), "ERR_OUT_OF_MEMORY", "failed");
    expect(await predictor.next([1, 2], [1, 1])).toHaveLength(2);
    expect(starts).toEqual([[1, 1]]);
  });
});

test("predictor: has 64 slots by default and refuses other numbers than 1 to 65,536", async () => {
  expect(model.predictor().batchSize).toBe(64);
  const largest = model.predictor({ batchSize: 65_536 });
  const ids = new Int32Array(65_536).map((_, slot) => slot);
  expect(await largest.next(ids, ids.map((slot) => slot % ITEMS), [3])).toHaveLength(65_536); // prettier-ignore
  for (const batchSize of [0, 65_537, 1.5, "2", null]) {
    const message = "Expected batchSize to be an integer from 1 to 65536 but received";
    await expectFailure(() => model.predictor({ batchSize: batchSize as number }), "ERR_ARGUMENT", message);
  }
  await expectFailure(() => model.predictor(5 as never), "ERR_ARGUMENT", "Expected options to be an object but received 5"); // prettier-ignore
});

test("after the model's dispose a predictor gives ERR_DISPOSED, used before or not", async () => {
  const other = await trained();
  const [used, unused] = [other.predictor({ batchSize: 1 }), other.predictor({ batchSize: 1 })];
  const running = used.next([1], [1]);
  await new Promise((resolve) => setImmediate(resolve));
  await running;
  other.dispose();
  await expectFailure(() => used.next([1], [1]), "ERR_DISPOSED", /./);
  await expectFailure(() => unused.next([1], [1]), "ERR_DISPOSED", /./);
});
