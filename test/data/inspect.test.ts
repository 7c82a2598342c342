import { inspect, type DataWarning } from "../../lib";
import { expectFailure } from "../support/errors";

test("counts, lengths, support, repeats and times", async () => {
  // Sessions: 1 = a a b (3), 2 = a (1), 3 = a a a a b (5): 9 events. Support: a 7, b 2. Repeats: 1 + 3.
  const report = await inspect({
    sessionId: [1, 1, 1, 2, 3, 3, 3, 3, 3],
    itemId: ["a", "a", "b", "a", "a", "a", "a", "a", "b"],
    time: [10, 11, 12, 5, 20, 21, 22, 23, 24],
  });
  expect(report).toEqual({
    events: 9,
    sessions: 3,
    items: 2,
    lengths: {
      min: 1,
      max: 5,
      mean: 3,
      quantiles: { 0.25: 1, 0.5: 3, 0.75: 5, 0.9: 5, 0.99: 5 }, // the 1st, 2nd and 3rd of 1, 3, 5
      histogram: [
        { from: 1, to: 1, count: 1 },
        { from: 2, to: 2, count: 0 },
        { from: 3, to: 4, count: 1 },
        { from: 5, to: 8, count: 1 },
      ],
    },
    support: {
      min: 2,
      max: 7,
      mean: 4.5,
      quantiles: { 0.25: 2, 0.5: 2, 0.75: 7, 0.9: 7, 0.99: 7 },
      histogram: [
        { from: 1, to: 1, count: 0 },
        { from: 2, to: 2, count: 1 },
        { from: 3, to: 4, count: 0 },
        { from: 5, to: 8, count: 1 },
      ],
    },
    repeats: 4,
    firstTime: 5,
    lastTime: 24,
    trainedSessions: 2,
    warnings: [],
  });
});

test.each([1, 2, 3, 4, 5, 8, 9, 64, 65])("a session of %d events is in one bin, which holds its length", async (length) => {
  const ids = Array.from({ length }, (_, i) => i);
  const { lengths } = await inspect({ sessionId: ids.map(() => 1), itemId: ids, time: ids });
  const { from, to, count } = lengths.histogram.at(-1)!;
  expect([count, from <= length, length <= to]).toEqual([1, true, true]);
  expect(lengths.histogram.slice(0, -1).every((bin, i) => bin.count === 0 && bin.to + 1 === lengths.histogram[i + 1]!.from)).toBe(true);
}); // prettier-ignore

describe("warnings", () => {
  const NOW = 1_700_000_000;
  type Row = readonly [session: number | string, item: number | string, time: number];
  const warningsOf = async (rows: readonly Row[]): Promise<readonly DataWarning[]> => {
    const [sessionId, itemId, time] = [0, 1, 2].map((column) => rows.map((row) => row[column]!));
    return (await inspect({ sessionId: sessionId!, itemId: itemId!, time: time as number[] })).warnings;
  };
  const good: Row[] = Array.from({ length: 20 }, (_, i) => [i >> 1, i % 3, NOW + i]);

  test("none for a good log", async () => {
    expect(await warningsOf(good)).toEqual([]);
  });

  test("milliseconds among seconds, and seconds among milliseconds", async () => {
    const other: Row[] = [[99, 1, NOW * 1000], [99, 2, NOW * 1000 + 1]]; // prettier-ignore
    expect(await warningsOf([...good, ...other])).toMatchObject([{ code: "mixed-time-units", count: 2 }]);
    const inMilliseconds = good.map(([session, item, time]): Row => [session, item, time * 1000]);
    expect(await warningsOf([...inMilliseconds, [99, 1, NOW]])).toMatchObject([{ code: "mixed-time-units", count: 1 }]);
  });

  test("a giant session", async () => {
    const giant = (length: number): Row[] => Array.from({ length }, (_, i) => [77, i % 5, NOW + i]);
    const others: Row[] = Array.from({ length: 1900 }, (_, i) => [100 + (i >> 1), i % 3, NOW + i]);
    expect(await warningsOf([...others, ...giant(99)])).toEqual([]);
    const [warning] = await warningsOf([...others, ...giant(100)]);
    expect(warning).toMatchObject({ code: "giant-session", count: 100 });
    expect(warning!.message).toMatch(/^session 77 has 100 events, 5.0 %/);
  });

  test("duplicated rows: the same session, item and time, whatever stands between them", async () => {
    const rows: Row[] = [[1, 1, NOW], [1, 2, NOW], [1, 1, NOW], [1, 1, NOW], [1, 1, NOW + 1], [2, 1, NOW + 1], [2, 2, NOW + 1]]; // prettier-ignore
    expect(await warningsOf(rows)).toMatchObject([{ code: "duplicate-rows", count: 2 }]);
  });

  test("ids that begin or end with spaces; those with spaces inside are fine", async () => {
    const rows: Row[] = [["s 1", "a b", NOW], ["s 1", " a", NOW + 1], ["s2 ", "a\t", NOW], ["s2 ", "c", NOW + 1]]; // prettier-ignore
    const [warning, ...others] = await warningsOf(rows);
    expect(others).toEqual([]);
    expect(warning).toMatchObject({ code: "ids-with-spaces", count: 3 });
    expect(warning!.message).toMatch(/^2 item ids and 1 session ids begin or end with a space/);
  });
});

test("an abort is heard, and a file that is not there is an error", async () => {
  const columns = { sessionId: [1], itemId: [1], time: [1] };
  await expectFailure(() => inspect(columns, { signal: AbortSignal.abort() }), "ERR_ABORTED", "aborted");
  await expectFailure(() => inspect("/nowhere"), "ERR_FILE", "there is no such file");
});
