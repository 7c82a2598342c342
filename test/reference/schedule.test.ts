import { schedule } from "./schedule";

/** Sessions of the given lengths; event e of session s is item 100 s + e. */
function sessionsOf(lengths: readonly number[]) {
  const items = lengths.flatMap((length, s) => Array.from({ length }, (_, e) => 100 * s + e));
  const offsets = [0];
  for (const length of lengths) offsets.push(offsets.at(-1)! + length);
  return { items: Int32Array.from(items), offsets: Int32Array.from(offsets) };
}

const show = (lengths: readonly number[], order: readonly number[], batchSize: number): string[] =>
  schedule(sessionsOf(lengths), order, batchSize).map((rows) =>
    rows.map(({ slot, first, input, target }) => `${slot}:${input}>${target}${first ? "*" : ""}`).join(" "),
  );

test("schedule: slots are refilled in ascending order and disappear from the top", () => {
  expect(show([3, 2, 2, 4, 2], [0, 1, 2, 3, 4], 3)).toEqual([
    "0:0>1* 1:100>101* 2:200>201*",
    "0:1>2 1:300>301* 2:400>401*",
    "1:301>302",
    "1:302>303",
  ]);
});

test("schedule: follows the order given, leaves out sessions without a pair", () => {
  expect(show([2, 1, 0, 3], [3, 1, 2, 0], 1)).toEqual(["0:300>301*", "0:301>302", "0:0>1*"]);
});

test("schedule: fewer sessions than slots, and none at all", () => {
  expect(show([2, 3], [0, 1], 5)).toEqual(["0:0>1* 1:100>101*", "1:101>102"]);
  expect(show([], [], 5)).toEqual([]);
});
