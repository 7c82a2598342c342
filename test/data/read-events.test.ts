import fc from "fast-check";
import { readEvents, type DataInput, type EventLog, type ReadOptions } from "../../lib/data";
import { isId } from "../../lib/data/ids";
import { expectFailure } from "../support/errors";
import { temporaryFolder } from "../support/files";

jest.setTimeout(60_000); // much work where other tests take the cores

const folder = temporaryFolder();

/** A field of a CSV file that keeps its text whatever that is. */
const quoted = (value: unknown) => `"${String(value).replaceAll('"', '""')}"`;

const numberIds = fc.maxSafeInteger();
/** Beyond the safe integers, so that a file has them as bigints, too. */
const bigintIds = fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n });
/** Never a number, so that a file has them as text, too. The line breaks of a file are its own. */
const textIds = fc
  .string({ unit: "binary" })
  .map((text) => `x${text.replaceAll(/[\0\r\n]/g, "")}`)
  .filter(isId);
const anyIds = fc.constantFrom<fc.Arbitrary<number | bigint | string>>(numberIds, bigintIds, textIds);
const anyTimes = fc.constantFrom<fc.Arbitrary<number | string>>(
  fc.nat(),
  fc.double({ min: 1, max: 1e13, noNaN: true }),
  fc.date({ min: new Date(0), max: new Date("9999-01-01"), noInvalidDate: true }).map((date) => date.toISOString()),
);
const logs = fc.tuple(anyIds, anyIds, anyTimes).chain(([session, item, time]) => {
  return fc.array(fc.record({ session, item, time }), { minLength: 1, maxLength: 30 });
});

test("the same events give the same log as columns, iterable, async iterable and file", async () => {
  await fc.assert(
    fc.asyncProperty(logs, fc.constantFrom(undefined, "s", "ms"), async (events, timeUnit) => {
      const options = { timeUnit } as const;
      const log = await readEvents(events, options);
      const columns = {
        sessionId: events.map(({ session }) => session),
        itemId: events.map(({ item }) => item),
        time: events.map(({ time }) => time),
      };
      expect(await readEvents(columns, options)).toEqual(log);
      const generator = async function* () {
        yield* await Promise.resolve(events);
      };
      expect(await readEvents(generator(), options)).toEqual(log);
      const rows = events.map(({ session, item, time }) => [session, item, time].map(quoted).join(","));
      const path = folder.write("log.csv", `SessionId,ItemId,Time\n${rows.join("\n")}\n`);
      expect(await readEvents(path, options)).toEqual(log);

      // What went in is what the log holds: by session, then by time, which is in the unit of the log.
      const inLog = Array.from(log.startTimes, (_, s) =>
        Array.from(log.items.subarray(log.offsets[s], log.offsets[s + 1]), (item) => log.itemIds[item]),
      );
      const numberOf = new Map(Array.from(log.startTimes, (_, s) => [log.sessionIds.at(s), s]));
      const secondsOf = (time: string | number) => (typeof time === "number" ? time : Date.parse(time));
      const sorted = [...events].sort((a, b) => secondsOf(a.time) - secondsOf(b.time));
      expect(inLog).toEqual(
        inLog.map((_, s) => sorted.filter(({ session }) => numberOf.get(session) === s).map(({ item }) => item)),
      );
      expect(numberOf.size).toBe(new Set(columns.sessionId).size);
    }),
    { numRuns: 60 },
  );
});

test("a log is data as well, and comes back as it is", async () => {
  const log = await readEvents({ sessionId: [1], itemId: [2], time: [5000] });
  expect(await readEvents(log, { timeUnit: "ms" })).toBe(log);
});

test("the kind of the item ids is in the type", async () => {
  const text: EventLog<string> = await readEvents({ sessionId: [1, 1], itemId: ["a", "b"], time: [1, 2] });
  const numbers: EventLog<number> = await readEvents([{ session: "s", item: 1, time: 1 }]);
  const typed: EventLog<number> = await readEvents({ sessionId: [1], itemId: Int32Array.of(1), time: [1n] });
  const big: EventLog<bigint> = await readEvents({ sessionId: [1], itemId: BigInt64Array.of(1n), time: [1] });
  const same: EventLog<bigint> = await readEvents(big);
  const file = await readEvents(folder.write("kind.csv", "SessionId,ItemId,Time\n1,2,3\n"));
  // @ts-expect-error -- a file may hold ids of any kind
  const textFile: EventLog<string> = file;
  const any: EventLog[] = [text, numbers, typed, big, same, textFile];
  expect(any.map(({ itemKind }) => itemKind)).toEqual(["string", "number", "number", "bigint", "bigint", "number"]);
});

test.each<[unknown, string]>([
  [{ paths: [] }, "Expected paths to be an array of paths that is not empty but received [] (array)"],
  [{ paths: "a.csv" }, "Expected paths to be an array of paths that is not empty"],
  [{ database: "x.db" }, "Expected the name of a table, or a query, with database but received neither"],
  [{ database: "x.db", table: "a", query: "b" }, "Expected the name of a table, or a query, with database"],
  [{ database: 5, table: "a" }, "Expected database to be the path of a file but received 5 (number)"],
])("refuses the source %j", async (data, message) => {
  await expectFailure(() => readEvents(data as DataInput), "ERR_ARGUMENT", message);
});

test.each([undefined, null, 5])("%p is no data", async (data) => {
  await expectFailure(
    () => readEvents(data as unknown as DataInput),
    "ERR_ARGUMENT",
    "Expected data to be a path, { paths }, { database, table }, { database, query }, columns { sessionId, itemId, time }, an iterable of events { session, item, time }, an Arrow table or a stream",
  );
});

test.each<[unknown, string]>([
  [null, "Expected options to be an object but received null"],
  [{ columns: null }, "Expected columns to be an object but received null"],
  [{ columns: { item: "x" } }, "Unknown option item; did you mean itemId? (columns)"],
  [{ columns: { itemId: "" } }, 'Expected columns.itemId to be the name of a column but received ""'],
  [{ columns: { time: 3 } }, "Expected columns.time to be the name of a column but received 3 (number)"],
  [{ format: "tsv" }, 'Expected format to be "csv" or "parquet" or "jsonl" but received "tsv" (string)'],
  [{ skipBadRows: 1 }, "Expected skipBadRows to be true or false but received 1 (number)"],
  [{ onNote: true }, "Expected onNote to be a function but received true (boolean)"],
  [{ memoryLimit: "2" }, 'Expected memoryLimit to be a size such as "512MB" or "2GB" but received "2" (string)'],
  [{ memoryLimit: "0GB" }, "Expected memoryLimit to be a size such as"],
  [{ memoryLimit: "80%" }, "Expected memoryLimit to be a size such as"],
  [{ memoryLimit: 512 }, "Expected memoryLimit to be a size such as"],
])("refuses the options %j", async (options, message) => {
  await expectFailure(() => readEvents("/nowhere", options as ReadOptions), "ERR_ARGUMENT", message);
});
