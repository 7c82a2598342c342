import { compareIds, convertId, isId } from "../../lib/data/ids";

test.each([0, -1, Number.MAX_SAFE_INTEGER, 0n, 2n ** 63n - 1n, -(2n ** 63n), "a", "日本", "😀"])(
  "isId: takes %p",
  (id) => {
    expect(isId(id)).toBe(true);
  },
);

test.each([1.5, NaN, 2 ** 53, 2n ** 63n, "", "\ud800", null, undefined, {}, true])("isId: refuses %p", (id) => {
  expect(isId(id)).toBe(false);
});

test("text is ordered by its UTF-8 bytes", () => {
  const texts = [
    "",
    "a",
    "ab",
    "b",
    "Z",
    "10",
    "9",
    "é",
    "\u07ff",
    "\u0800",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "😀",
    "a😀",
    "a\uffff",
  ];
  const sorted = [...texts].sort(compareIds);
  expect(sorted).toEqual([...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  expect(sorted.indexOf("\uffff")).toBeLessThan(sorted.indexOf("😀")); // the other way round in UTF-16
});

test("numbers and bigints are ordered by value", () => {
  expect([10, 9, -1].sort(compareIds)).toEqual([-1, 9, 10]);
  expect([10n, 9n, -(2n ** 60n)].sort(compareIds)).toEqual([-(2n ** 60n), 9n, 10n]);
});

test.each([
  [5, "number", 5],
  [5n, "number", 5],
  ["5", "number", 5],
  ["05", "number", undefined],
  ["5.0", "number", undefined],
  ["-0", "number", undefined],
  [2n ** 60n, "number", undefined],
  [5, "bigint", 5n],
  ["9223372036854775807", "bigint", 2n ** 63n - 1n],
  ["9223372036854775808", "bigint", undefined],
  [5, "string", "5"],
  [5n, "string", "5"],
] as const)("convertId: %p as a %s is %p", (id, kind, converted) => {
  expect(convertId(id, kind)).toBe(converted);
});
