import fc from "fast-check";
import { readEvents, type EventTime, type ReadOptions, type TimeUnit } from "../../lib/data";
import { parseIsoTime } from "../../lib/data/event-times";
import { expectFailure } from "../support/errors";

const NOON = 1_714_564_800; // 2024-05-01T12:00:00Z

const timesOf = async (time: ArrayLike<EventTime>, options?: ReadOptions) => {
  const ids = Array.from(time, () => 1);
  return [...(await readEvents({ sessionId: ids, itemId: ids, time }, options)).times];
};

test.each<[string, ArrayLike<EventTime>]>([
  ["seconds", [NOON, NOON + 0.5]],
  ["milliseconds", [NOON * 1000, NOON * 1000 + 500]],
  ["milliseconds in a typed array", Float64Array.of(NOON * 1000, NOON * 1000 + 500)],
  ["bigints of milliseconds", [BigInt(NOON) * 1000n, BigInt(NOON) * 1000n + 500n]],
  ["a BigInt64Array", BigInt64Array.of(BigInt(NOON) * 1000n, BigInt(NOON) * 1000n + 500n)],
  ["Dates", [new Date(NOON * 1000), new Date(NOON * 1000 + 500)]],
  ["ISO 8601 text", ["2024-05-01T12:00:00Z", "2024-05-01 12:00:00.5"]],
])("times as %s are Unix seconds in a log", async (_, times) => {
  expect(await timesOf(times)).toEqual([NOON, NOON + 0.5]);
});

test("numbers are milliseconds when their median is at least 1e11", async () => {
  expect(await timesOf([0, 1e11, 2e11])).toEqual([0, 1e8, 2e8]);
  expect(await timesOf([0, 1e11 - 1, 2e11])).toEqual([0, 1e11 - 1, 2e11]);
});

test("timeUnit says what numbers and bigints are, and nothing of Dates and text", async () => {
  expect(await timesOf([5000], { timeUnit: "ms" })).toEqual([5]);
  expect(await timesOf([5000n], { timeUnit: "ms" })).toEqual([5]);
  expect(await timesOf([5e12], { timeUnit: "s" })).toEqual([5e12]);
  expect(await timesOf([new Date(5000)], { timeUnit: "ms" })).toEqual([5]);
  expect(await timesOf(["1970-01-01T00:00:05Z"], { timeUnit: "ms" })).toEqual([5]);
});

test.each<[string, number]>([
  ["2024-05-01", NOON - 12 * 3600],
  ["2024-05-01T12:00", NOON],
  ["2024-05-01T12:00Z", NOON],
  ["2024-05-01 12:00:00", NOON],
  ["2024-05-01T12:00:00.123456Z", NOON + 0.123456],
  ["2024-05-01T14:00:00+02:00", NOON],
  ["2024-05-01T14:00:00+02", NOON],
  ["2024-05-01 10:30:00-0130", NOON],
  ["2024-02-29", 1_709_164_800],
])("%s is a time", (text, seconds) => {
  expect(parseIsoTime(text)).toBe(seconds);
});

test.each([
  ["", "noon", "2024", "2024-05", "2024-5-1", "01.05.2024", "2024-13-01", "2024-02-30", "2023-02-29", "0070-01-01"],
  ["2024-05-01T", "2024-05-01T24:00", "2024-05-01T12:60", "2024-05-01T12", "2024-05-01T12:00:00X", " 2024-05-01"],
  ["2024-05-01Z", "2024-05-01T12:00:00+2"],
])("none of %j, … is a time", (...texts) => {
  expect(texts.map(parseIsoTime)).toEqual(texts.map(() => undefined));
});

test("every Date comes back from its ISO text", () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }),
      (date) => {
        expect(parseIsoTime(date.toISOString())).toBeCloseTo(date.getTime() / 1000, 5);
      },
    ),
  );
});

test.each<[unknown[], string]>([
  [[-1], "Expected time[0] to be a finite number from 0 on but received -1 (number)"],
  [[1, NaN], "Expected time[1] to be a finite number from 0 on but received NaN (number)"],
  [[1, Infinity], "Expected time[1] to be a finite number from 0 on but received Infinity (number)"],
  [[1n, -1n], "Expected time[1] to be a bigint from 0 on but received -1 (bigint)"],
  [[new Date(NaN)], "Expected time[0] to be a valid Date from 1970 on but received Invalid Date (Date)"],
  [[new Date(-1)], "Expected time[0] to be a valid Date from 1970 on but received Wed Dec 31 1969"],
  [
    ["2024-05-01", "noon"],
    'Expected time[1] to be ISO 8601 text from 1970 on, such as 2024-05-01T12:00:00Z but received "noon"',
  ],
  [["1969-12-31"], "Expected time[0] to be ISO 8601 text from 1970 on"],
  [[new Date(0), 5], "Expected time[1] to be a Date like time[0] but received 5 (number)"],
  [[5, 5n], "Expected time[1] to be a number like time[0] but received 5 (bigint)"],
  [[5n, new Date(5)], "Expected time[1] to be a bigint like time[0] but received Thu Jan 01 1970"],
  [["2024-05-01", 5], "Expected time[1] to be ISO 8601 text like time[0] but received 5 (number)"],
  [[null], "Expected time[0] to be a number or a bigint or a Date or ISO 8601 text but received null"],
  [[5, undefined], "Expected time[1] to be a number or a bigint or a Date or ISO 8601 text but received undefined"],
])("refuses %p as times", async (times, message) => {
  await expectFailure(() => timesOf(times as EventTime[]), "ERR_DATA", message);
});

test.each(["h", "", null, 1000])("%p is no timeUnit", async (timeUnit) => {
  await expectFailure(
    () => timesOf([1], { timeUnit: timeUnit as TimeUnit }),
    "ERR_ARGUMENT",
    'Expected timeUnit to be "s" or "ms" but received',
  );
});
