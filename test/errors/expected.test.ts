import { checkInteger, describeValue, expected, reason } from "../../lib/errors";
import { expectFailure } from "../support/errors";

test("describeValue: a value with its type, long ones shortened", () => {
  expect(describeValue(6)).toBe("6 (number)");
  expect(describeValue(7n)).toBe("7 (bigint)");
  expect(describeValue("a\nb")).toBe('"a\\nb" (string)');
  expect(describeValue(undefined)).toBe("undefined");
  expect(describeValue(null)).toBe("null");
  expect(describeValue([100, "x"])).toBe("[100,x] (array)");
  expect(describeValue(new Map())).toBe("Map (object)");
  expect(describeValue({})).toBe("Object (object)");
  expect(describeValue(Object.create(null))).toBe("Object (object)");
  expect(describeValue(() => 1)).toBe("a function");
  expect(describeValue("x".repeat(1000)).length).toBeLessThan(80);
});

test("expected: says what was expected and what was received", () => {
  expect(expected("k", "an integer from 1 to 5", 6)).toBe(
    "Expected k to be an integer from 1 to 5 but received 6 (number)",
  );
});

test("reason: the first line of whatever was thrown", () => {
  expect(reason(new Error("first\nsecond"))).toBe("first");
  expect(reason("text")).toBe("text");
  expect(reason({ message: "like an error" })).toBe("like an error");
});

test.each([0, 6, 1.5, NaN, "3", undefined, 2n])("checkInteger: refuses %p as an integer from 1 to 5", async (value) => {
  await expectFailure(() => checkInteger("k", value, 1, 5), "ERR_ARGUMENT", "Expected k to be an integer from 1 to 5");
});

test.each([1, 5])("checkInteger: takes the ends, such as %p", (value) => {
  expect(() => checkInteger("k", value, 1, 5)).not.toThrow();
});
