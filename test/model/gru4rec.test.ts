import { readdirSync } from "node:fs";
import { train, type Gru4Rec, type ItemId, type TrainOptions } from "../../lib";
import { circleClicks, SMALL } from "../support/clicks";
import { expectFailure } from "../support/errors";
import { temporaryFolder } from "../support/files";

const folder = temporaryFolder();
const ITEMS = 30;
const testClicks = circleClicks({ seed: 2 });

/** Linear scores, so that ranks can be found from what predict returns. */
const trained = (options: TrainOptions = {}, data = circleClicks()) =>
  train(data, { ...SMALL, loss: "bpr", ...options });

let model: Gru4Rec;
beforeAll(async () => {
  model = await trained();
});
afterAll(() => model.dispose());

/** Item indices by descending score, lower index first. */
function ranking(scores: Float32Array): number[] {
  return Array.from(scores, (_, item) => item).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

/** Sessions of a log as lists of ids. */
function sessionsOf({ sessionId, itemId }: { sessionId: number[]; itemId: ItemId[] }): ItemId[][] {
  const sessions: ItemId[][] = [];
  sessionId.forEach((session, event) => (sessions[session] ??= []).push(itemId[event]!));
  return sessions;
}

describe("recommend", () => {
  test("ranks all items by their scores", async () => {
    const [scores, list] = [await model.predict([[3, 4]]), await model.recommend([3, 4], { k: ITEMS })];
    const order = ranking(scores);
    expect(list.items).toEqual(order.map((index) => model.itemIds()[index]));
    expect(list.scores).toEqual(order.map((index) => scores[index]));
    expect(list).toMatchObject({ skipped: 0, fallback: false });
  });

  test("gives 20 items by default, or all where there are fewer", async () => {
    expect((await model.recommend([1])).items).toHaveLength(20);
    const few = await trained({}, circleClicks({ items: 5 }));
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
    const small = await trained({}, { sessionId: [1, 1, 1, 2, 2, 3], itemId, time: [1, 2, 3, 4, 5, 6] });
    const list = await small.recommend(["x", "y"], { k: 4 });
    expect(list).toEqual({ items: ["b", "c", "a", "d"], scores: [2, 2, 1, 1], skipped: 2, fallback: true });
    expect((await small.recommend([], { k: 2, exclude: ["b"], items: ["a", "b", "d"] })).items).toEqual(["a", "d"]);
    small.dispose();
  });

  test("chooses from `items` and leaves out `exclude`", async () => {
    const all = (await model.recommend([3], { k: ITEMS })).items;
    const items = [9, 2, 4, 4, 17];
    expect((await model.recommend([3], { items })).items).toEqual(all.filter((id) => items.includes(id as number)));
    const exclude = [all[0]!, all[2]!, "unknown"];
    const without = all.filter((id) => !exclude.includes(id));
    expect((await model.recommend([3], { k: ITEMS, exclude })).items).toEqual(without);
    const [first, second] = await model.recommend([[3], [4]], { k: ITEMS, exclude, items: all.slice(0, 4) });
    expect(first!.items).toEqual([all[1], all[3]]);
    expect([...second!.items].sort()).toEqual([all[1], all[3]].sort());
  });

  test.each<[unknown, object, string]>([
    [[1], { k: 0 }, "Expected k to be an integer from 1 to 30 but received 0 (number)"],
    [[1], { k: 31 }, "Expected k to be an integer from 1 to 30 but received 31 (number)"],
    [[1], { k: 1.5 }, "Expected k to be an integer from 1 to 30 but received 1.5 (number)"],
    [[1], { items: [1, 99] }, "Expected items[1] to be an item of the model but received 99 (number)"],
    [5, {}, "Expected session to be an array of item ids or of sessions but received 5 (number)"],
    [[1, null], {}, "Expected sessions[0][1] to be a safe integer"],
    [[[1], 5], {}, "Expected sessions[1] to be an array of item ids but received 5 (number)"],
  ])("refuses %j with %j", async (session, options, message) => {
    await expectFailure(() => model.recommend(session as number[], options), "ERR_ARGUMENT", message);
  });
});

describe("predict", () => {
  test("gives a row a session and a column an item, all or those asked for", async () => {
    const sessions = [[1, 2], [], [7, 999]];
    const all = await model.predict(sessions);
    expect(all).toHaveLength(3 * ITEMS);
    const ids = model.itemIds();
    const items = [5, 1, 5];
    const some = await model.predict(sessions, { items });
    expect([...some]).toEqual(sessions.flatMap((_, s) => items.map((id) => all[s * ITEMS + ids.indexOf(id)]))); // prettier-ignore
    expect(await model.predict([[7]])).toEqual(all.slice(2 * ITEMS));
    expect(await model.predict([["x"]])).toEqual(all.slice(ITEMS, 2 * ITEMS)); // the zero state
    expect(await model.predict([])).toHaveLength(0);
  });

  test("softmax runs over the items asked for", async () => {
    const softmax = await trained({ loss: "cross-entropy" });
    const sum = (scores: Float32Array) => scores.reduce((total, score) => total + score, 0);
    expect(sum(await softmax.predict([[1]]))).toBeCloseTo(1, 5);
    expect(sum(await softmax.predict([[1]], { items: [4, 7] }))).toBeCloseTo(1, 5);
    softmax.dispose();
  });

  test("refuses what is no list of sessions, and unknown items", async () => {
    await expectFailure(
      () => model.predict(5 as never),
      "ERR_ARGUMENT",
      "Expected sessions to be an array of sessions",
    );
    await expectFailure(() => model.predict([1] as never), "ERR_ARGUMENT", "Expected sessions[0] to be an array");
    await expectFailure(
      () => model.predict([[1]], { items: [99] }),
      "ERR_ARGUMENT",
      "Expected items[0] to be an item of",
    );
  });
});

describe("evaluate", () => {
  test.each(["standard", "conservative", "median"] as const)("agrees with sorting the scores (%s)", async (ties) => {
    let targets = 0;
    const hits = { 1: 0, 5: 0 };
    const reciprocals = { 1: 0, 5: 0 };
    for (const session of sessionsOf(testClicks)) {
      const prefixes = session.slice(1).map((_, i) => session.slice(0, i + 1));
      const scores = await model.predict(prefixes);
      prefixes.forEach((prefix, i) => {
        const row = scores.subarray(i * ITEMS, (i + 1) * ITEMS);
        const target = row[model.itemIds().indexOf(session[prefix.length]!)]!;
        const greater = row.filter((score) => score > target).length;
        const equal = row.filter((score) => score === target).length;
        const rank = { standard: greater + 1, conservative: greater + equal, median: greater + 0.5 * (equal - 1) + 1 }[
          ties
        ];
        for (const k of [1, 5] as const) {
          if (rank <= k) [hits[k], reciprocals[k]] = [hits[k] + 1, reciprocals[k] + 1 / rank];
        }
        ++targets;
      });
    }
    const evaluation = await model.evaluate(testClicks, { k: [1, 5], ties });
    expect(evaluation).toMatchObject({ targets, sessions: 200, skippedEvents: 0, ties });
    for (const k of [1, 5] as const) {
      expect(evaluation.recall[k]).toBeCloseTo(hits[k] / targets, 12);
      expect(evaluation.mrr[k]).toBeCloseTo(reciprocals[k] / targets, 12);
    }
  });

  test("gives the same numbers for every batch size", async () => {
    const expected = await model.evaluate(testClicks, { k: [1, 20] });
    for (const batchSize of [1, 7, 1_000])
      expect(await model.evaluate(testClicks, { k: [1, 20], batchSize })).toEqual(expected);
  });

  test("removes and counts events of unknown items", async () => {
    const known = await model.evaluate({ sessionId: [1, 1, 1], itemId: [1, 2, 3], time: [1, 2, 3] });
    const withUnknown = await model.evaluate({
      sessionId: [1, 1, 1, 1, 2, 2],
      itemId: ["1", "2", "x", "3", "x", "4"],
      time: [1, 2, 2.5, 3, 4, 5],
    });
    expect(withUnknown).toEqual({ ...known, skippedEvents: 2 });
  });

  test("ranks among the given items and the target alone", async () => {
    const log = { sessionId: [1, 1], itemId: [1, 2], time: [1, 2] };
    expect((await model.evaluate(log, { k: 1, items: [2] })).recall[1]).toBe(1);
    const [best] = (await model.recommend([1], { k: 1 })).items;
    expect((await model.evaluate({ ...log, itemId: [1, best!] }, { k: 1 })).recall[1]).toBe(1);
    expect((await model.evaluate({ ...log, itemId: [1, 20] }, { k: 1, items: [best!] })).recall[1]).toBe(0);
  });

  test.each<[object, string]>([
    [{ k: 0 }, "Expected k to be an integer from 1 to 30 but received 0 (number)"],
    [{ k: [5, 31] }, "Expected k to be an integer from 1 to 30 but received 31 (number)"],
    [{ ties: "tiebreaking" }, "Expected ties to be one of standard, conservative, median but received"],
    [{ batchSize: 0 }, "Expected batchSize to be an integer from 1 to 65536 but received 0 (number)"],
    [{ items: ["x"] }, 'Expected items[0] to be an item of the model but received "x" (string)'],
  ])("refuses %j", async (options, message) => {
    await expectFailure(() => model.evaluate(testClicks, options), "ERR_ARGUMENT", message);
  });

  test("without two known events in a session is no evaluation", async () => {
    await expectFailure(
      () => model.evaluate({ sessionId: [1, 1], itemId: ["x", 1].map(String), time: [1, 2] }),
      "ERR_DATA",
      "of items that the model knows",
    );
  });

  test("stops before the start when aborted", async () => {
    await expectFailure(() => model.evaluate("/nowhere", { signal: AbortSignal.abort() }), "ERR_ABORTED", "aborted");
  });
});

describe("calls that overlap", () => {
  test("recommend, predict and evaluate queue", async () => {
    const single = [await model.recommend([1]), await model.predict([[1]]), await model.evaluate(testClicks)] as const;
    const many = await Promise.all(
      Array.from({ length: 20 }, () => [model.recommend([1]), model.predict([[1]]), model.evaluate(testClicks)]).flat(),
    );
    many.forEach((result, i) => expect(result).toEqual(single[i % 3]));
  });

  test("dispose while another call runs is refused, and any call after it", async () => {
    const other = await trained();
    const running = other.recommend(Array.from({ length: 5_000 }, () => [1, 2, 3]));
    await expectFailure(() => other.dispose(), "ERR_BUSY", /./);
    expect(await running).toHaveLength(5_000);
    other.dispose();
    const calls = [
      () => other.recommend([1]),
      () => other.recommend(["x"]),
      () => other.predict([[1]]),
      () => other.evaluate(testClicks),
      () => other.save(folder.path("disposed")),
      () => other.device,
    ];
    for (const call of calls) await expectFailure(call, "ERR_DISPOSED", /./);
    expect(() => other.dispose()).not.toThrow();
    await expect(other[Symbol.asyncDispose]()).resolves.toBeUndefined();
    expect(readdirSync(folder.path("."))).not.toContain("disposed");
  });
});

test("device says where it computes", () => {
  expect(model.device).toMatch(/^cpu \(.+, 1 thread/);
});
