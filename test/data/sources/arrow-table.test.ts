import {
  BufferType,
  Data,
  DateDay,
  DateMillisecond,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  LargeUtf8,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromArrays,
  tableFromIPC,
  tableToIPC,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Utf8,
  vectorFromArray,
  Vector,
  type DataType,
} from "apache-arrow";
import { readEvents, type ArrowTable } from "../../../lib/data";
import { expectFailure } from "../../support/errors";

jest.mock("@duckdb/node-api", () => {
  throw new Error("DuckDB was loaded");
});

const int64 = (values: readonly (bigint | null)[]) => vectorFromArray(values, new Int64());
const text = (values: readonly (string | null)[]) => vectorFromArray(values, new Utf8());
const doubles = (values: readonly (number | null)[]) => vectorFromArray(values, new Float64());

test("integers that are safe are numbers, larger ones bigints, text stays text", async () => {
  const table = new Table({ Time: doubles([5, 3]), SessionId: int64([2n, 2n]), ItemId: text(["7", "x"]) });
  expect(await readEvents(table)).toMatchObject({
    sessionKind: "number",
    sessionIds: Float64Array.of(2),
    itemIds: ["7", "x"],
    times: Float64Array.of(3, 5),
  });
  const big = new Table({
    Time: int64([5n]),
    SessionId: int64([2n ** 60n]),
    ItemId: vectorFromArray(["tea"], new LargeUtf8()),
  });
  const log = await readEvents(big);
  expect([log.sessionIds, log.itemIds, log.times]).toEqual([BigInt64Array.of(2n ** 60n), ["tea"], Float64Array.of(5)]);
  const arrays = tableFromArrays({
    SessionId: Int32Array.of(4),
    ItemId: Uint16Array.of(9),
    Time: Float32Array.of(0.5),
  });
  expect(await readEvents(arrays)).toMatchObject({ itemIds: Float64Array.of(9), times: Float64Array.of(0.5) });
});

/** One column of raw values of a type that holds bigints, or days. */
function raw<T extends DataType>(type: T, values: BigInt64Array | Int32Array, dictionary?: Vector): Vector<T> {
  return new Vector([new Data(type, 0, values.length, 0, { [BufferType.DATA]: values }, [], dictionary)]);
}

test.each<[string, Vector, number[]]>([
  ["seconds", raw(new TimestampSecond(), BigInt64Array.of(86_400n, 1n)), [86_400, 1]],
  ["milliseconds", raw(new TimestampMillisecond(), BigInt64Array.of(86_400_000n, 1500n)), [86_400, 1.5]],
  ["microseconds", raw(new TimestampMicrosecond(), BigInt64Array.of(86_400_000_000n, 1_500_250n)), [86_400, 1.50025]],
  ["nanoseconds", raw(new TimestampNanosecond(), BigInt64Array.of(86_400_000_000_000n, 1_500_250_000n)), [86_400, 1.50025]],
  ["days", raw(new DateDay(), Int32Array.of(1, 0)), [86_400, 0]],
  ["dates in milliseconds", raw(new DateMillisecond(), BigInt64Array.of(86_400_000n, 1500n)), [86_400, 1.5]],
  ["timestamps of a dictionary", dictionaryOfTimes(), [86_400, 1.5]],
])("times in %s, however early", async (_, Time, expected) => {
  const table = new Table({ Time, SessionId: int64([1n, 2n]), ItemId: int64([1n, 1n]) });
  expect([...(await readEvents(table)).times]).toEqual(expected);
  // Their unit is known: the option is for numbers.
  expect([...(await readEvents(table, { timeUnit: "s" })).times]).toEqual(expected);
}); // prettier-ignore

function dictionaryOfTimes(): Vector {
  const dictionary = raw(new TimestampMillisecond(), BigInt64Array.of(1500n, 86_400_000n));
  const type = new Dictionary(new TimestampMillisecond(), new Int32());
  return raw(type, Int32Array.of(1, 0), dictionary);
}

const VISITS = new Schema([
  new Field("visit", new Int64(), true),
  new Field("sku", new Dictionary(new Utf8(), new Int32()), true),
  new Field("ts", new TimestampMillisecond(), true),
]);

/** Rows of visits, items and times as a batch with a dictionary of its own. */
function batchOf(rows: readonly [visit: bigint | null, item: string | null, time: bigint][]): RecordBatch {
  const visits = int64(rows.map(([visit]) => visit));
  const items = vectorFromArray(
    rows.map(([, item]) => item),
    VISITS.fields[1]!.type as Dictionary<Utf8, Int32>,
  );
  const times = raw(
    new TimestampMillisecond(),
    BigInt64Array.from(rows, ([, , time]) => time),
  );
  const children = [visits, items, times].map(({ data }) => data[0]!);
  return new RecordBatch(VISITS, makeData({ type: new Struct(VISITS.fields), length: rows.length, children }));
}

test("several record batches, whose dictionaries differ, as they come from a file of Arrow", async () => {
  const batches = [
    batchOf([[7n, "tea", 2000n], [7n, "cup", 1000n]]),
    batchOf([]),
    batchOf([[9n, "cup", 500n]]),
    batchOf([[7n, "milk", 3000n], [9n, "tea", 1500n]]),
  ]; // prettier-ignore
  const silent = { onNote: () => undefined };
  for (const table of [new Table(batches), tableFromIPC(tableToIPC(new Table(batches), "stream"))]) {
    expect(table.numRows).toBe(5);
    const log = await readEvents(table, silent);
    expect([...log.items].map((item) => log.itemIds[item])).toEqual(["cup", "tea", "milk", "cup", "tea"]);
    expect(log).toMatchObject({
      sessionIds: Float64Array.of(7, 9),
      itemIds: ["tea", "cup", "milk"],
      times: Float64Array.of(1, 2, 3, 0.5, 1.5),
    });
  }
});

test("bad rows are named, or skipped and counted, in whatever batch they are", async () => {
  const bad = new Table([
    batchOf([[1n, "a", 1000n], [1n, null, 2000n]]),
    batchOf([[null, "c", 3000n], [2n, "c", -1000n], [2n, "b", 4000n]]),
  ]); // prettier-ignore
  const notes: string[] = [];
  const onNote = (note: string) => notes.push(note);
  await expectFailure(() => readEvents(bad, { onNote }), "ERR_DATA", /^Expected sku in row 2 of the Arrow table to be .* but received null$/); // prettier-ignore
  expect((await readEvents(bad, { onNote, skipBadRows: true })).itemIds).toEqual(["a", "b"]);
  expect(notes[0]).toBe("columns of the Arrow table told by their names: sessionId is visit, itemId is sku, time is ts"); // prettier-ignore
  expect(notes[2]).toMatch(/^skipped 3 rows of the Arrow table: Expected sku in row 2 .*; Expected visit in row 3 .*; Expected ts in row 4 /); // prettier-ignore
});

test("a table without a column, and one without a row", async () => {
  await expectFailure(() => readEvents(new Table({ a: int64([1n]) })), "ERR_DATA", "in the Arrow table but SessionId, ItemId, Time are missing; found: a"); // prettier-ignore
  const empty = new Table({ SessionId: int64([]), ItemId: text([]), Time: doubles([]) });
  await expectFailure(() => readEvents(empty), "ERR_DATA", "Expected at least one event but received none in the Arrow table"); // prettier-ignore
});

test("an Arrow table is known by its shape, whatever copy of the package made it", async () => {
  const table = new Table({ SessionId: int64([1n]), ItemId: text(["a"]), Time: doubles([1]) });
  const { numRows, schema } = table;
  const other: ArrowTable = { numRows, schema, getChild: (name) => table.getChild(name as "Time") };
  expect((await readEvents(other)).itemIds).toEqual(["a"]);
});

test("Dates, which copies before the package's version 15 give for dates, are what they say", async () => {
  const days = new Table({ SessionId: int64([1n]), ItemId: text(["a"]), Time: raw(new DateDay(), Int32Array.of(1)) });
  const asDate = { length: 1, get: () => new Date(1500) };
  const { numRows, schema } = days;
  const older = {
    numRows,
    schema,
    getChild: (name: string) => (name === "Time" ? asDate : days.getChild(name as "ItemId")),
  };
  expect((await readEvents(older)).times).toEqual(Float64Array.of(1.5));
});
