import fc from "fast-check";
import { compareIds, convertId, isId, type IdKind, type ItemId } from "../../lib/data/ids";

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

describe("for any ids", () => {
  const numbers = fc.maxSafeInteger();
  const bigints = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const texts = fc.string({ unit: "binary", minLength: 1 });
  const ids = fc.oneof(numbers, bigints, texts, numbers.map(String), bigints.map(String));
  const kinds = fc.constantFrom<IdKind>("number", "bigint", "string");

  test("isId takes them, and no text with a lone surrogate", () => {
    fc.assert(fc.property(ids, (id) => isId(id)));
    const surrogate = fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit));
    const plain = fc.string({ unit: "grapheme-ascii" });
    fc.assert(fc.property(plain, surrogate, plain, (before, lone, after) => !isId(before + lone + after)));
  });

  test("convertId gives an id of the kind with the same text, or none", () => {
    fc.assert(
      fc.property(ids, kinds, (id, kind) => {
        const converted = convertId(id, kind);
        if (converted === undefined) return kind !== "string" && kind !== typeof id;
        return typeof converted === kind && String(converted) === String(id) && isId(converted);
      }),
    );
  });

  test("convertId brings an id back from its text", () => {
    fc.assert(fc.property(ids, (id) => convertId(String(id), typeof id as IdKind) === id));
  });

  test("compareIds orders as values and UTF-8 bytes do", () => {
    const sign = (a: ItemId, b: ItemId) => Math.sign(compareIds(a, b));
    fc.assert(fc.property(texts, texts, (a, b) => sign(a, b) === Buffer.compare(Buffer.from(a), Buffer.from(b))));
    fc.assert(fc.property(numbers, numbers, (a, b) => sign(a, b) === Math.sign(a - b)));
    fc.assert(fc.property(bigints, bigints, (a, b) => sign(a, b) === Math.sign(Number(a - b))));
  });
});
