import { rankOf, topItems } from "./ranking";

test("rank: the three tie modes", () => {
  const scores = [3, 1, 3, 5, 3];
  expect((["standard", "conservative", "median"] as const).map((ties) => rankOf(3, scores, ties))).toEqual([2, 4, 3]);
  expect((["standard", "conservative", "median"] as const).map((ties) => rankOf(5, scores, ties))).toEqual([1, 1, 1]);
});

test("top items: best first, equal scores by index", () => {
  expect(topItems([0, 1, 2, 3, 4], [3, 1, 3, 5, 3], 4)).toEqual([3, 0, 2, 4]);
  expect(topItems([4, 2, 1], [3, 1, 3, 5, 3], 5)).toEqual([2, 4, 1]);
});
