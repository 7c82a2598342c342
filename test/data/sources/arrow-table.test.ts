import { readEvents, type ArrowTable } from "../../../lib/data";
import { expectFailure } from "../../support/errors";

jest.mock("@duckdb/node-api", () => {
  throw new Error("DuckDB was loaded");
});

/** Of the shape that apache-arrow gives its tables. */
function table(columns: Record<string, readonly unknown[]>, timeType = 2): ArrowTable {
  const names = Object.keys(columns);
  return {
    numRows: Object.values(columns)[0]!.length,
    schema: { fields: names.map((name) => ({ name, type: { typeId: name === "Time" ? timeType : 2 } })) },
    getChild: (name: string) => ({ length: columns[name]!.length, get: (row: number) => columns[name]![row] }),
    *[Symbol.iterator]() {
      yield names;
    },
  } as ArrowTable;
}

test("an Arrow table: integers that are safe are numbers, text stays text", async () => {
  const log = await readEvents(table({ Time: [5, 3], SessionId: [2n, 2n], ItemId: ["7", "x"] }));
  expect(log).toMatchObject({ sessionIds: Float64Array.of(2), itemIds: ["7", "x"], times: Float64Array.of(3, 5) });
  const big = await readEvents(table({ Time: [5], SessionId: [2n ** 60n], ItemId: [1n] }));
  expect([big.sessionIds, big.itemIds]).toEqual([BigInt64Array.of(2n ** 60n), Float64Array.of(1)]);
});

test("timestamps and dates come as milliseconds, whatever their size", async () => {
  for (const type of [8, 10]) {
    const log = await readEvents(table({ Time: [86_400_000, 1500], SessionId: [1, 2], ItemId: [1, 1] }, type));
    expect(log.times).toEqual(Float64Array.of(86_400, 1.5));
  }
  const dates = table({ Time: [new Date(1500)], SessionId: [1], ItemId: [1] }, 8);
  expect((await readEvents(dates)).times).toEqual(Float64Array.of(1.5));
});

test("bad rows are named, or skipped and counted", async () => {
  const bad = table({ visit_id: [1, 1, null], sku: ["a", null, "c"], ts: [1, 2, 3] });
  const notes: string[] = [];
  const onNote = (note: string) => notes.push(note);
  await expectFailure(() => readEvents(bad, { onNote }), "ERR_DATA", /^Expected sku in row 2 of the Arrow table to be .* but received null$/); // prettier-ignore
  expect((await readEvents(bad, { onNote, skipBadRows: true })).itemIds).toEqual(["a"]);
  expect(notes[0]).toBe("columns of the Arrow table told by their names: sessionId is visit_id, itemId is sku, time is ts"); // prettier-ignore
  expect(notes[2]).toMatch(/^skipped 2 rows of the Arrow table: Expected sku in row 2 .*; Expected visit_id in row 3 /);
  await expectFailure(() => readEvents(table({ a: [1] })), "ERR_DATA", "in the Arrow table but SessionId, ItemId, Time are missing; found: a"); // prettier-ignore
});
