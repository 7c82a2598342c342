import { checkListLengths, metricsOf } from "../../lib/evaluation/metrics";
import { expectFailure } from "../support/errors";

test("recall and MRR of ranks at several list lengths", () => {
  expect(metricsOf(Float64Array.of(1, 2, 5, 21, Infinity, 2.5), [1, 2, 20])).toEqual({
    recall: { 1: 1 / 6, 2: 2 / 6, 20: 4 / 6 },
    mrr: { 1: 1 / 6, 2: 1.5 / 6, 20: (1 + 1 / 2 + 1 / 5 + 1 / 2.5) / 6 },
  });
});

test("list lengths: 20 by default, one or several", () => {
  expect(checkListLengths(undefined, 5)).toEqual([20]);
  expect(checkListLengths(5, 5)).toEqual([5]);
  expect(checkListLengths([1, 5], 5)).toEqual([1, 5]);
});

test.each([0, 6, 1.5, [1, 6]])("refuses list length %j of 5 items", async (k) => {
  await expectFailure(
    () => checkListLengths(k, 5),
    "ERR_ARGUMENT",
    "Expected k to be an integer from 1 to 5 but received",
  );
});

test.each([[[]], ["5"], [null]])("%j is no list length", async (k) => {
  await expectFailure(() => checkListLengths(k as never, 5), "ERR_ARGUMENT", "Expected k to be a list length");
});
