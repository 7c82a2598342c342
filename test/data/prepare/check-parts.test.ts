import { checkParts } from "../../../lib/data/prepare/split-draft";
import type { Draft } from "../../../lib/data/prepare/draft";
import type { SplitPlan } from "../../../lib/data/prepare/plan";

/** Sessions by their places in the whole log, with their times. */
const draft = (sessions: Readonly<Record<number, readonly number[]>>): Draft => ({
  ids: { itemKind: "number", itemIds: Float64Array.of(1), sessionKind: "number", sessionIds: Float64Array.of(1) },
  origins: Int32Array.from(Object.keys(sessions), Number),
  offsets: Int32Array.from([0, ...Object.values(sessions)].map((_, s, all) => all.slice(1, s + 1).flat().length)),
  items: new Int32Array(Object.values(sessions).flat().length),
  times: Float64Array.from(Object.values(sessions).flat()),
});
const plan = (straddling: SplitPlan["straddling"]): SplitPlan => ({
  lastTime: 5,
  by: "end",
  straddling,
  end: undefined,
});
const check = (rest: Draft, held: Draft, straddling: SplitPlan["straddling"]) =>
  checkParts({ rest, held, border: 10 }, plan(straddling), undefined);

test("parts without a leak pass", async () => {
  await check(draft({ 0: [1, 2], 2: [3, 12] }), draft({ 1: [9, 11], 3: [12] }), "keep");
  await check(draft({ 0: [1, 2], 2: [3, 9] }), draft({ 1: [10, 11], 2: [12] }), "cut");
});

test("a session in both parts, and events on the wrong side of a cut, are found", async () => {
  await expect(check(draft({ 0: [1], 2: [3], 5: [4] }), draft({ 1: [12], 5: [13] }), "keep")).rejects.toThrow("session 5 is"); // prettier-ignore
  await expect(check(draft({ 0: [1], 2: [3] }), draft({ 2: [12] }), "drop")).rejects.toThrow("session 2 is");
  await expect(check(draft({ 0: [1, 10] }), draft({ 1: [12] }), "cut")).rejects.toThrow("before 10 to train on but one is at 10"); // prettier-ignore
  await expect(check(draft({ 0: [1] }), draft({ 1: [9.5, 12] }), "cut")).rejects.toThrow("from 10 on to test on but one is at 9.5"); // prettier-ignore
});
