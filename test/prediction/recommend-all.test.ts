import {
  train,
  type Gru4Rec,
  type ItemId,
  type RecommendAllOptions,
  type Recommendations,
  type SessionStream,
} from "../../lib";
import { circleClicks, SMALL } from "../support/clicks";
import { expectFailure } from "../support/errors";
import { randomIntegers } from "../support/random";

const ITEMS = 30;

let model: Gru4Rec;
beforeAll(async () => {
  model = await train(circleClicks(), { ...SMALL, loss: "bpr" });
});
afterAll(() => model.dispose());

async function collect(sessions: SessionStream, options?: RecommendAllOptions): Promise<Recommendations[]> {
  const lists: Recommendations[] = [];
  for await (const list of model.recommendAll(sessions, options)) lists.push(list);
  return lists;
}

function randomSessions(count: number): ItemId[][] {
  const random = randomIntegers(count);
  return Array.from({ length: count }, () =>
    Array.from({ length: random(5) }, () => (random(9) === 0 ? "unknown" : random(ITEMS))),
  );
}

/** An endless source of sessions that records what happens to it. */
class Source {
  read = 0;
  closed = 0;
  constructor(readonly failAt = Infinity) {}

  #element(): number[] {
    if (this.read === this.failAt) throw new RangeError("the source failed");
    return [this.read++ % ITEMS];
  }
  *sync(): Generator<number[]> {
    try {
      for (;;) yield this.#element();
    } finally {
      ++this.closed;
    }
  }
  async *async(): AsyncGenerator<number[]> {
    try {
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        yield this.#element();
      }
    } finally {
      await new Promise((resolve) => setImmediate(resolve));
      ++this.closed;
    }
  }
}
const kinds = ["sync", "async"] as const;

describe("recommendAll gives what recommend gives", () => {
  test("for 10,000 sessions, whatever the batch size", async () => {
    const sessions = randomSessions(10_000);
    const options = { k: 5, exclude: [3, "unknown", 7], items: [1, 2, 3, 9, 12, 20, 21], excludeSeen: true };
    const expected = await model.recommend(sessions, options);
    for (const batchSize of [undefined, 333, 65_536]) {
      const lists = await collect(sessions, { ...options, batchSize });
      expect(JSON.stringify(lists)).toBe(JSON.stringify(expected)); // toEqual takes a second for so many
    }
    expect(await collect(sessions.slice(0, 200), { ...options, batchSize: 1 })).toEqual(expected.slice(0, 200));
  });

  test("of iterables and async iterables, of 0 sessions and of one more than a batch", async () => {
    for (const count of [0, 1, 6, 7, 8, 14]) {
      const sessions = randomSessions(count);
      const expected = count === 0 ? [] : await model.recommend(sessions);
      expect(await collect(new Set(sessions), { batchSize: 7 })).toEqual(expected);
      async function* stream() {
        for (const session of sessions) yield await Promise.resolve(session);
      }
      expect(await collect(stream(), { batchSize: 7 })).toEqual(expected);
    }
  });

  test("with exclusions of single sessions besides those of all", async () => {
    const sessions = [[1], { session: [2], exclude: [3, "x", 3] }, { session: [1] }, { session: ["x"], exclude: [5] }];
    const lists = await collect(sessions, { k: ITEMS, exclude: [8], batchSize: 3 });
    const exclude = [[8], [8, 3], [8], [8, 5]];
    expect(lists).toEqual(await model.recommend([[1], [2], [1], ["x"]], { k: ITEMS, exclude }));
  });
});

describe.each(kinds)("recommendAll of an %s iterable", (kind) => {
  test("reads only as far ahead as two batches behind the one that is taken", async () => {
    const source = new Source();
    let taken = 0;
    for await (const list of model.recommendAll(source[kind](), { batchSize: 10, k: 1 })) {
      expect(list.items).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, taken % 10 === 9 ? 10 : 0));
      expect(source.read).toBeLessThanOrEqual(10 * (Math.floor(taken / 10) + 3));
      if (++taken === 50) break;
    }
    expect(source.closed).toBe(1);
  });

  test("closes it when the loop is left, and leaves the model idle", async () => {
    const other = await train(circleClicks(), { ...SMALL, nEpochs: 1 });
    for (const take of [1, 4, 5]) {
      const source = new Source();
      let taken = 0;
      for await (const list of other.recommendAll(source[kind](), { batchSize: 4 })) {
        expect(list.skipped).toBe(0);
        if (++taken === take) break;
      }
      if (kind === "sync") expect(source.closed).toBe(1);
    }
    expect(() => other.dispose()).not.toThrow();
  });

  test.each([0, 3, 4, 9])(
    "rejects with the error that it throws at session %d, after the batches before",
    async (at) => {
      const source = new Source(at);
      let taken = 0;
      const iterate = async () => {
        for await (const list of model.recommendAll(source[kind](), { batchSize: 4 })) taken += list.items.length / 20;
      };
      await expect(iterate()).rejects.toThrow(new RangeError("the source failed"));
      expect(taken).toBe(Math.floor(at / 4) * 4);
      expect(source.closed).toBe(1); // by the failure, in the generator itself
    },
  );

  test("stops when the signal comes, and closes it", async () => {
    const source = new Source();
    const controller = new AbortController();
    let taken = 0;
    await expectFailure(
      async () => {
        for await (const list of model.recommendAll(source[kind](), { batchSize: 4, signal: controller.signal })) {
          taken += list.items.length / 20;
          if (taken === 6) controller.abort();
        }
      },
      "ERR_ABORTED",
      "aborted",
    );
    expect(taken).toBe(6);
    if (kind === "sync") expect(source.closed).toBe(1);
  });

  test("an error in the loop's body stays that error, and closes it", async () => {
    const source = new Source();
    const error = new Error("of the body");
    const iterate = async () => {
      for await (const list of model.recommendAll(source[kind](), { batchSize: 4 })) {
        if (list.items.length > 0) throw error;
      }
    };
    await expect(iterate()).rejects.toBe(error);
    if (kind === "sync") expect(source.closed).toBe(1);
  });
});

/** An async iterator whose next() never settles after `first`. */
function stuck(first: ItemId[][]) {
  const state = { returns: 0 };
  const iterator: AsyncIterableIterator<ItemId[]> = {
    next: () => (first.length > 0 ? Promise.resolve({ value: first.shift()! }) : new Promise(() => undefined)),
    return: () => {
      ++state.returns;
      return Promise.reject(new Error("a failure to close that nobody waits for"));
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return { iterator, state };
}

describe("recommendAll of a source that never gives its next session", () => {
  test("gives the lists of what came before, and can be left", async () => {
    const { iterator, state } = stuck([[1], [2]]);
    const lists = model.recommendAll(iterator, { batchSize: 1 });
    for (let i = 0; i < 2; ++i) expect((await lists.next()).done).toBe(false);
    await lists.return();
    expect(state.returns).toBe(1);
  });

  test("stops when the signal comes", async () => {
    const { iterator, state } = stuck([[1]]);
    const controller = new AbortController();
    const lists = model.recommendAll(iterator, { batchSize: 1, signal: controller.signal });
    expect((await lists.next()).done).toBe(false);
    const next = lists.next();
    controller.abort();
    await expectFailure(() => next, "ERR_ABORTED", "aborted");
    expect(state.returns).toBe(1);
  });
});

test("recommendAll: a failure of the iterable to close rejects when the loop is left, but hides no other error", async () => {
  const sessions = (elements: unknown[]) => {
    const iterator = elements[Symbol.iterator]() as IterableIterator<ItemId[]>;
    return {
      [Symbol.iterator]: () => ({
        next: () => iterator.next(),
        return: () => {
          throw new Error("cannot close");
        },
      }),
    };
  };
  const leave = async (elements: unknown[]) => {
    for await (const { items } of model.recommendAll(sessions(elements), { batchSize: 2 })) if (items.length > 0) break;
  };
  await expect(leave([[1], [2], [3], [4], [5], [6], [7], [8]])).rejects.toThrow("cannot close");
  await expectFailure(() => leave([5, [1], [1], [1], [1], [1]]), "ERR_ARGUMENT", "Expected sessions[0]");
});

describe("recommendAll refuses", () => {
  const good = Array.from({ length: 10 }, () => [1]);
  test.each<[string, unknown, unknown, string]>([
    ["no iterable", 5, {}, "Expected sessions to be an iterable or async iterable of sessions but received 5 (number)"],
    ["null", null, {}, "Expected sessions to be an iterable or async iterable of sessions but received null"],
    ["an object", {}, {}, "Expected sessions to be an iterable or async iterable of sessions but received Object (object)"], // prettier-ignore
    ["one session", [1, 2], {}, "Expected sessions[0] to be an array of item ids or { session, exclude } but received 1 (number)"], // prettier-ignore
    ["a text", "ab", {}, 'Expected sessions[0] to be an array of item ids or { session, exclude } but received "a" (string)'], // prettier-ignore
    ["an element", [...good, null], {}, "Expected sessions[10] to be an array of item ids or { session, exclude } but received null"], // prettier-ignore
    ["an object without session", [...good, { items: [1] }], {}, "Expected sessions[10] to be an array of item ids or { session, exclude } but received Object (object)"], // prettier-ignore
    ["a wrong id", [...good, [1, 0.5]], {}, "Expected sessions[10][1] to be a safe integer"],
    ["a session that is none", [...good, { session: 5 }], {}, "Expected sessions[10].session to be an array of item ids but received 5 (number)"], // prettier-ignore
    ["a wrong id in a request", [{ session: [{}] }], {}, "Expected sessions[0].session[0] to be a safe integer"],
    ["a wrong own exclude", [...good, { session: [1], exclude: 3 }], {}, "Expected sessions[10].exclude to be an array of item ids but received 3 (number)"], // prettier-ignore
    ["a wrong id in it", [...good, { session: [1], exclude: [3, ""] }], {}, "Expected sessions[10].exclude[1] to be a safe integer"], // prettier-ignore
    ["no options", good, 5, "Expected options to be an object but received 5 (number)"],
    ["k", good, { k: 31 }, "Expected k to be an integer from 1 to 30 but received 31 (number)"],
    ["the batch size", good, { batchSize: 0 }, "Expected batchSize to be an integer from 1 to 65536 but received 0"],
    ["an unknown item", good, { items: [1, "x"] }, 'Expected items[1] to be an item of the model but received "x" (string)'], // prettier-ignore
    ["items per session", good, { items: [[1], [2]] }, "Expected items to be one list of item ids for all sessions but received [1,2] (array)"], // prettier-ignore
    ["exclude per session", good, { exclude: [[1]] }, "Expected exclude to be one list of item ids for all sessions but received [1] (array)"], // prettier-ignore
  ])("%s", async (_, sessions, options, message) => {
    const batched = { batchSize: 4, ...(options as object) };
    const given = typeof options === "object" ? batched : options;
    await expectFailure(() => collect(sessions as ItemId[][], given), "ERR_ARGUMENT", message);
  });

  test("to begin when it is aborted already, before it opens the iterable", async () => {
    const source = new Source();
    await expectFailure(() => collect(source.sync(), { signal: AbortSignal.abort() }), "ERR_ABORTED", "aborted");
    expect(source.read).toBe(0);
  });
});
