import fc from "fast-check";
import type { Gru4Rec } from "../../lib";
import { type ItemId, type Recommendations, type RecommendOptions, type TrainOptions } from "../../lib";
import { circleClicks, trainLinear } from "../support/clicks";
import { expectFailure } from "../support/errors";
import { bruteForce } from "./brute-force";

const ITEMS = 30;

let model: Gru4Rec;
beforeAll(async () => {
  model = await trainLinear();
});
afterAll(() => model.dispose());

describe("recommend", () => {
  test("ranks all items by their scores", async () => {
    const [list] = await bruteForce(model, [[3, 4]], { k: ITEMS });
    expect(list!.items).toHaveLength(ITEMS);
    expect(await model.recommend([3, 4], { k: ITEMS })).toEqual(list);
  });

  test("gives 20 items by default, or all where there are fewer", async () => {
    expect((await model.recommend([1])).items).toHaveLength(20);
    const few = await trainLinear({}, circleClicks({ items: 5 }));
    expect((await few.recommend([1])).items).toHaveLength(5);
    few.dispose();
  });

  test("takes several sessions and gives a list for each, the same as alone", async () => {
    const sessions = [[1, 2], ["x"], [5], [], Int32Array.of(1, 2)];
    const lists = await model.recommend(sessions, { k: 3 });
    expect(lists).toEqual(await Promise.all(sessions.map((session) => model.recommend(session, { k: 3 }))));
    expect(lists.map(({ fallback }) => fallback)).toEqual([false, true, false, true, false]);
    expect(lists[4]).toEqual(lists[0]);
  });

  test("skips unknown items and counts them", async () => {
    const list = await model.recommend([1, 999, 2, "x"]);
    expect(list.skipped).toBe(2);
    expect(list.items).toEqual((await model.recommend([1, 2])).items);
  });

  test("without a known item ranks by support, lower index on ties", async () => {
    const itemId = ["a", "b", "c", "c", "d", "b"];
    const small = await trainLinear({}, { sessionId: [1, 1, 1, 2, 2, 3], itemId, time: [1, 2, 3, 4, 5, 6] });
    const list = await small.recommend(["x", "y"], { k: 4 });
    expect(list).toEqual({ items: ["b", "c", "a", "d"], scores: [2, 2, 1, 1], skipped: 2, fallback: true });
    expect((await small.recommend([], { k: 2, exclude: ["b"], items: ["a", "b", "d"] })).items).toEqual(["a", "d"]);

    const lists = await small.recommend([["x"], [], ["y"]], { items: [["d", "b"], [], ["a", "c"]], exclude: ["b"] });
    expect(lists.map(({ items }) => items)).toEqual([["d"], [], ["c", "a"]]);
    const shared = await small.recommend([["x"], []], {
      items: ["d", "c", "b"],
      exclude: [
        ["b", "?"],
        ["c", "c"],
      ],
    });
    expect(shared.map(({ items, scores }) => [items, scores])).toEqual([[["c", "d"], [2, 1]], [["b", "d"], [2, 1]]]); // prettier-ignore
    const both = await small.recommend([["x"], ["a"]], { excludeSeen: true });
    expect(both[0]!.items).toEqual(["b", "c", "a", "d"]);
    expect([...both[1]!.items].sort()).toEqual(["b", "c", "d"]);
    small.dispose();
  });
});

describe("what may be recommended", () => {
  const sessions = [[3, 4, 3], [7], ["x", 11], [], ["x"], [29, 0, 1, 2], [5, 5]] as ItemId[][];
  const each = sessions.map((_, s) => s);
  /** One for all or one for each session; with repeats, unknown items where they are allowed, and empty ones. */
  const lists: Record<"items" | "exclude", Record<string, RecommendOptions["items"]>> = {
    items: {
      "all items": undefined,
      "shared items": [9, 2, 4, 4, 17, 8, 5, 30 - 1],
      "no items": [],
      "items per session": each.map((s) => (s === 1 ? [] : [s, s + 3, 4, 5, 4, 29 - s, 12])),
      "typed items per session": each.map((s) => Int32Array.of(s, 8, 8, 1)),
    },
    exclude: {
      "nothing excluded": undefined,
      "shared exclude": [4, 8, "unknown", 4, 0],
      "all excluded": Array.from({ length: ITEMS }, (_, id) => id),
      "exclude per session": each.map((s) => (s === 2 ? [] : [s + 4, 8, "unknown", 8, 5, s])),
    },
  };
  const combinations = Object.entries(lists.items).flatMap(([items, given]) =>
    Object.entries(lists.exclude).flatMap(([exclude, left]) =>
      [false, true].map((excludeSeen) => [items, exclude, excludeSeen, { items: given, exclude: left }] as const),
    ),
  );

  const models = {
    "linear scores": {},
    "softmax and an embedding of its own": { loss: "cross-entropy", embedding: 6, layers: [12, 9] },
    "one-hot input": { loss: "bpr-max", embedding: "none" },
  } satisfies Record<string, TrainOptions>;
  describe.each(Object.entries(models))("with %s", (_, options) => {
    let other: Gru4Rec;
    beforeAll(async () => {
      other = await trainLinear(options);
    });
    afterAll(() => other.dispose());

    test.each(combinations)("%s, %s, excludeSeen %p: as by sorting all scores", async (_1, _2, excludeSeen, choice) => {
      for (const k of [1, 5, ITEMS]) {
        const asked = { ...choice, excludeSeen, k };
        const received = await other.recommend(sessions, asked);
        const expected = await bruteForce(other, sessions, asked);
        // A softmax is exp(score - log(sum)) here and exp(score) / sum there.
        if (other.config.loss === "cross-entropy") {
          received.forEach(({ scores }, s) =>
            scores.forEach((score, i) => expect(score / expected[s]!.scores[i]!).toBeCloseTo(1, 5)),
          );
        } else {
          expect(received.map(({ scores }) => scores)).toEqual(expected.map(({ scores }) => scores));
        }
        const withoutScores = (lists: Recommendations[]) => lists.map((list) => ({ ...list, scores: list.scores.length })); // prettier-ignore
        expect(withoutScores(received)).toEqual(withoutScores(expected));
      }
    });
  });

  test("of random sessions and lists is as by sorting all scores", async () => {
    const id = fc.oneof({ weight: 6, arbitrary: fc.nat(ITEMS - 1) }, { weight: 1, arbitrary: fc.constant("unknown") });
    const known = fc.array(fc.nat(ITEMS - 1), { maxLength: 40 });
    const any = fc.array(id, { maxLength: 40 });
    const request = fc.array(fc.array(id, { maxLength: 6 }), { minLength: 1, maxLength: 6 }).chain((sessions) => {
      const perSession = <T>(list: fc.Arbitrary<T>) => fc.array(list, { minLength: sessions.length, maxLength: sessions.length }); // prettier-ignore
      return fc.record({
        sessions: fc.constant(sessions),
        options: fc.record({
          k: fc.integer({ min: 1, max: ITEMS }),
          items: fc.oneof(fc.constant(undefined), known, perSession(known)),
          exclude: fc.oneof(fc.constant(undefined), any, perSession(any)),
          excludeSeen: fc.boolean(),
        }),
      });
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ sessions, options }) => {
        expect(await model.recommend(sessions, options)).toEqual(await bruteForce(model, sessions, options));
      }),
      { numRuns: 200 },
    );
  });

  test("one session has its list alone or as the only one of an array", async () => {
    const plain = await model.recommend([3], { items: [1, 2, 3], exclude: [2] });
    expect(plain.items).toHaveLength(2);
    expect(await model.recommend([3], { items: [[1, 2, 3]], exclude: [[2]] })).toEqual(plain);
  });

  test("so many sessions that their lists need several native calls get the same lists", async () => {
    const exclude = Array.from({ length: ITEMS - 5 }, (_, id) => id);
    const many = Array.from({ length: 100_000 }, (_, s) => (s % 1_000 === 0 ? [] : [s % ITEMS, (s * 7) % ITEMS]));
    const few = await model.recommend(many.slice(0, 3_000), { k: ITEMS, exclude });
    const all = await model.recommend(many, { k: ITEMS, exclude });
    // The sessions repeat every 3,000; a comparison by toEqual of all would take its time.
    expect(all.length).toBe(many.length);
    expect(all.every((list, s) => sameLists(list, few[s % 3_000]!))).toBe(true);
  });
});

function sameLists(a: Recommendations, b: Recommendations): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

describe("recommend refuses", () => {
  test.each<[unknown, unknown, string]>([
    [[1], { k: 0 }, "Expected k to be an integer from 1 to 30 but received 0 (number)"],
    [[1], { k: 31 }, "Expected k to be an integer from 1 to 30 but received 31 (number)"],
    [[1], { k: 1.5 }, "Expected k to be an integer from 1 to 30 but received 1.5 (number)"],
    [[1], { k: "5" }, 'Expected k to be an integer from 1 to 30 but received "5" (string)'],
    [[1], { k: null }, "Expected k to be an integer from 1 to 30 but received null"],
    [[1], 10, "Expected options to be an object but received 10 (number)"],
    [[1], null, "Expected options to be an object but received null"],
    [[1], [2], "Expected options to be an object but received [2] (array)"],
    [[1], { excludeSeen: 1 }, "Expected excludeSeen to be true or false but received 1 (number)"],
    [[1], { items: [1, 99] }, "Expected items[1] to be an item of the model but received 99 (number)"],
    [[1], { items: "ab" }, 'Expected items to be an array of item ids but received "ab" (string)'],
    [[1], { items: null }, "Expected items to be an array of item ids but received null"],
    [[1], { items: [1, [2]] }, "Expected items[1] to be a safe integer, a 64-bit bigint or non-empty text but received [2] (array)"], // prettier-ignore
    [[[1], [2], [3]], { items: [[1], [2], [99]] }, "Expected items[2][0] to be an item of the model but received 99 (number)"], // prettier-ignore
    [[[1], [2]], { items: [[1], 2] }, "Expected items[1] to be an array of item ids but received 2 (number)"],
    [[[1], [2], [3]], { items: [[1], [2]] }, "Expected items to be a list of item ids or an array with a list for each session (3 in all) but received an array of 2"], // prettier-ignore
    [[1, 2], { exclude: [[1], [2]] }, "Expected exclude to be a list of item ids or an array with a list for each session (1 in all) but received an array of 2"], // prettier-ignore
    [[1], { exclude: 5 }, "Expected exclude to be an array of item ids but received 5 (number)"],
    [[1], { exclude: [1, 0.5] }, "Expected exclude[1] to be a safe integer, a 64-bit bigint or non-empty text but received 0.5 (number)"], // prettier-ignore
    [[[1], [2]], { exclude: [[1], [""]] }, 'Expected exclude[1][0] to be a safe integer, a 64-bit bigint or non-empty text but received "" (string)'], // prettier-ignore
    [5, {}, "Expected session to be an array of item ids or of sessions but received 5 (number)"],
    ["ab", {}, 'Expected session to be an array of item ids or of sessions but received "ab" (string)'],
    [[1, null], {}, "Expected session[1] to be a safe integer, a 64-bit bigint or non-empty text but received null"],
    [[[1], [2, null]], {}, "Expected sessions[1][1] to be a safe integer"],
    [[[1], 5], {}, "Expected sessions[1] to be an array of item ids but received 5 (number)"],

    [[[1], , [2]], {}, "Expected sessions[1] to be an array of item ids but received undefined"],
  ])("%j with %j", async (session, options, message) => {
    await expectFailure(() => model.recommend(session as number[], options as RecommendOptions), "ERR_ARGUMENT", message); // prettier-ignore
  });

  test("a call that was aborted before its start", async () => {
    await expectFailure(() => model.recommend([1], { signal: AbortSignal.abort() }), "ERR_ABORTED", "aborted");
  });
});
