import { existsSync } from "node:fs";
import { join } from "node:path";
import { prepare, readEvents } from "../../../lib/data";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

jest.setTimeout(60_000); // SQLite and DuckDB are loaded where other tests take the cores

/** What the tests use of the package to write files. */
type Sqlite = new (path: string) => { exec(sql: string): void; close(): void };

// It is compiled where there is no binary to download, so that not every machine has it (test/peers/package.json).
const isInstalled = existsSync(join(__dirname, "../../../node_modules/better-sqlite3"));
const inCi = process.env.CI === "true"; // there it must be
const testWithPackage = isInstalled || inCi ? test : test.skip;

const folder = temporaryFolder();
const silent = { onNote: () => undefined };
let files = 0;

/** Writes a SQLite file with these statements. @returns its path */
function write(...statements: readonly string[]): string {
  const path = folder.path(`shop-${++files}.sqlite`);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- it may not be there
  const Database = require("better-sqlite3") as Sqlite;
  const database = new Database(path);
  for (const statement of statements) database.exec(statement);
  database.close();
  return path;
}

testWithPackage("integers are numbers, text stays text; rows need no order", async () => {
  const database = write(
    'CREATE TABLE "odd ""clicks" (price REAL, Time INTEGER, ItemId TEXT, SessionId INTEGER)',
    `INSERT INTO "odd ""clicks" VALUES (1.5, 5, 'tea', 2), (NULL, 4, 'cup', 1), (1, 3, '7', 2), (1, 6, '', 3)`,
    `DELETE FROM "odd ""clicks" WHERE ItemId = ''`,
  );
  expect(await readEvents({ database, table: 'odd "clicks' })).toMatchObject({
    itemKind: "string",
    itemIds: ["tea", "cup", "7"],
    sessionKind: "number",
    sessionIds: Float64Array.of(1, 2),
    offsets: Int32Array.of(0, 1, 3),
    times: Float64Array.of(4, 3, 5),
  });
});

testWithPackage("integers beyond the safe ones are bigints, all of their column", async () => {
  const database = write(
    "CREATE TABLE clicks (SessionId INTEGER, ItemId INTEGER, Time INTEGER)",
    "INSERT INTO clicks VALUES (1, 9223372036854775807, 1), (1, -9223372036854775808, 2), (2, 9007199254740993, 3), (2, 1, 4)",
  );
  const { itemKind, itemIds, sessionIds, times } = await readEvents({ database, table: "clicks" });
  expect([itemKind, itemIds]).toEqual(["bigint", BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 1n)]);
  expect([sessionIds, times]).toEqual([Float64Array.of(1, 2), Float64Array.of(1, 2, 3, 4)]);
});

testWithPackage("times as integers of milliseconds, as reals and as text; a view; a query with a comment", async () => {
  const database = write(
    "CREATE TABLE clicks (SessionId TEXT, ItemId TEXT, ms INTEGER, real REAL, day TEXT)",
    "INSERT INTO clicks VALUES ('a', 'x', 1714564800250, 0.5, '2024-05-01 12:00:00.25'), ('a', 'y', 1714564801000, 1, '2024-05-02')",
    "CREATE VIEW as_text AS SELECT SessionId, ItemId, day AS Time FROM clicks",
  );
  const timesOf = async (source: { table: string } | { query: string }) =>
    (await readEvents({ database, ...source }, silent)).times;
  const query = (time: string) => ({ query: `SELECT SessionId, ItemId, ${time} AS Time FROM clicks -- all` });
  expect(await timesOf(query("ms"))).toEqual(Float64Array.of(1714564800.25, 1714564801));
  expect(await timesOf(query("real"))).toEqual(Float64Array.of(0.5, 1));
  expect(await timesOf({ table: "as_text" })).toEqual(Float64Array.of(1714564800.25, 1714608000));
});

testWithPackage("null ids are named with their row, or skipped and counted", async () => {
  const database = write(
    "CREATE TABLE clicks (visit INTEGER, sku TEXT, ts)",
    "INSERT INTO clicks VALUES (1, 'a', 1), (NULL, 'b', 2), (1, NULL, 3), (1, 'c', NULL), (1, 'd', 'noon'), (2.5, 'e', 6), (1, 'f', 7)",
  );
  const source = { database, table: "clicks" };
  await expectFailure(() => readEvents(source, silent), "ERR_DATA", /^Expected visit in row 2 of the table clicks of .*sqlite to be .* but received null$/); // prettier-ignore
  const notes: string[] = [];
  const log = await readEvents(source, { skipBadRows: true, onNote: (note) => notes.push(note) });
  expect([log.itemIds, log.sessionIds]).toEqual([["a", "f"], Float64Array.of(1)]);
  expect(notes[1]).toMatch(/^skipped 5 rows of the table clicks of .*: Expected visit in row 2 .*; Expected sku in row 3 .*; Expected ts in row 4 /); // prettier-ignore
});

testWithPackage("more rows than are read at a time, of some types of events only", async () => {
  const database = write(
    "CREATE TABLE clicks (SessionId INTEGER, ItemId INTEGER, Time INTEGER, EventType TEXT)",
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < 25000) " +
      "INSERT INTO clicks SELECT i / 10, i % 7, i, CASE i % 2 WHEN 0 THEN 'view' ELSE 'buy' END FROM n",
  );
  const source = { database, table: "clicks" };
  const log = await readEvents(source);
  expect([log.items.length, log.sessionIds.length, log.itemIds.length]).toEqual([25_000, 2500, 7]);
  const { train } = await prepare(source, { eventTypes: ["view"] });
  expect([train.items.length, train.times[1]]).toEqual([12_500, 2]);
  const signal = AbortSignal.abort();
  await expectFailure(() => readEvents(source, { signal }), "ERR_ABORTED", "aborted");
});

testWithPackage("a result without a row, a table that is missing, a query that writes, and half a file", async () => {
  const database = write("CREATE TABLE clicks (SessionId INTEGER, ItemId INTEGER, Time INTEGER)");
  const read = (source: { table: string } | { query: string }) => () => readEvents({ database, ...source });
  await expectFailure(read({ table: "clicks" }), "ERR_DATA", /^Expected at least one event but received none in the table clicks of .*sqlite$/); // prettier-ignore
  await expectFailure(read({ query: "SELECT * FROM clicks" }), "ERR_DATA", /received none in the query's result in .*sqlite$/); // prettier-ignore
  await expectFailure(read({ table: "click" }), "ERR_DATA", /^Expected the table click of .*sqlite but no such table: click$/); // prettier-ignore
  await expectFailure(
    read({ query: "DROP TABLE clicks" }),
    "ERR_DATA",
    /^Expected the query's result in .*sqlite but /,
  );
  const half = folder.write("half.sqlite", "SQLite format 3\0 and more");
  await expectFailure(() => readEvents({ database: half, table: "a" }), "ERR_DATA", /^Expected the table a of .*half\.sqlite but file is not a database$/); // prettier-ignore
});
