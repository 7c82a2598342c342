import { readdirSync } from "node:fs";
import { Gru4Rec, type ItemId } from "../../lib";
import { circleClicks, trainLinear } from "../support/clicks";
import { expectFailure } from "../support/errors";
import { temporaryFolder } from "../support/files";

const folder = temporaryFolder();
const ITEMS = 30;
const testClicks = circleClicks({ seed: 2 });

let model: Gru4Rec;
beforeAll(async () => {
  model = await trainLinear();
});
afterAll(() => model.dispose());

/** Sessions of a log as lists of ids. */
function sessionsOf({ sessionId, itemId }: { sessionId: number[]; itemId: ItemId[] }): ItemId[][] {
  const sessions: ItemId[][] = [];
  sessionId.forEach((session, event) => (sessions[session] ??= []).push(itemId[event]!));
  return sessions;
}

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

  test("saving and recommending may overlap", async () => {
    const single = await model.recommend([1]);
    const path = folder.path("while recommending");
    const saving = model.save(path);
    const lists = await Promise.all(Array.from({ length: 50 }, () => model.recommend([1])));
    await saving;
    lists.forEach((list) => expect(list).toEqual(single));
    const loaded = await Gru4Rec.load(path);
    expect(await loaded.predict([[1, 2]])).toEqual(await model.predict([[1, 2]]));
    loaded.dispose();
  });

  test("dispose while another call runs is refused, and any call after it", async () => {
    const other = await trainLinear();
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
