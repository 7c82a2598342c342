import { DuckDBInstance } from "@duckdb/node-api";
import { readEvents, type DataInput } from "../../../lib/data";
import { runSql } from "../../support/duckdb";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

const folder = temporaryFolder();
const database = folder.path("shop.duckdb");
const silent = { onNote: () => undefined };

beforeAll(() =>
  runSql(
    `ATTACH '${database}' AS shop`,
    "CREATE TABLE shop.clicks AS SELECT * FROM (VALUES (1, 'tea', 5), (1, 'cup', 3), (2, '7', 4)) t(SessionId, ItemId, Time)",
    "CREATE TABLE shop.bad AS SELECT * FROM (VALUES (1, 'tea', 5), (1, '', 6), (NULL, 'cup', 7)) t(SessionId, ItemId, Time)",
    'CREATE TABLE shop."odd ""name"".x" AS SELECT visit AS "a b", * FROM (VALUES (1, 2, 3)) t(visit, sku, ts)',
    "CREATE SCHEMA shop.web",
    "CREATE VIEW shop.web.recent AS SELECT * FROM shop.main.clicks WHERE Time > 3",
    `ATTACH ':memory:' AS gone`,
    "CREATE TABLE gone.clicks AS FROM shop.clicks",
    "CREATE VIEW shop.elsewhere AS FROM gone.main.clicks",
    "USE shop",
    "CREATE VIEW web.late AS SELECT * FROM clicks WHERE Time > 3",
    "CREATE TABLE item_ids AS SELECT * FROM web.late",
    "USE memory",
    "CREATE TABLE shop.empty AS SELECT * FROM shop.clicks LIMIT 0",
    "DETACH shop",
  ),
);

test("a table, a view in a schema and a query of a DuckDB file", async () => {
  const { itemIds, times } = await readEvents({ database, table: "clicks" });
  expect(itemIds).toEqual(["tea", "cup", "7"]);
  expect(times).toEqual(Float64Array.of(3, 5, 4));
  const odd = await readEvents({ database, table: 'odd "name".x' }, { columns: { sessionId: "a b" }, ...silent });
  expect(odd.itemIds).toEqual(Float64Array.of(2));
  for (const table of ["web.late", "web.recent", "item_ids"])
    expect((await readEvents({ database, table })).itemIds).toEqual(["tea", "7"]);
  const query = "SELECT SessionId, upper(ItemId) AS ItemId, Time FROM clicks ORDER BY Time; ";
  expect((await readEvents({ database, query })).itemIds).toEqual(["CUP", "7", "TEA"]);
  expect((await readEvents({ database, query: "FROM clicks -- all" })).items.length).toBe(3);
});

test.each(["memory.duckdb", "Memory.db", "temp.duckdb", "system.duckdb", "main.db", "other.db", "source.db", 'odd "name\'s.1.db', "select"])(
  "a view that names its own file's catalog, as DuckDB calls %s, and a query that does",
  async (name) => {
    const path = folder.path(name);
    const instance = await DuckDBInstance.create(path);
    const connection = await instance.connect();
    const [catalog] = (await connection.runAndReadAll("SELECT current_database()")).getRows()[0] as [string];
    const clicks = `"${catalog.replaceAll('"', '""')}".main.clicks`;
    await connection.run(`CREATE TABLE clicks AS SELECT 1 AS SessionId, 'tea' AS ItemId, 5 AS Time`);
    await connection.run(`CREATE VIEW own AS SELECT * FROM ${clicks}`);
    connection.closeSync();
    instance.closeSync();
    for (const source of [{ table: "own" }, { table: "clicks" }, { query: `FROM ${clicks}` }, { query: "FROM own" }])
      expect((await readEvents({ database: path, ...source })).itemIds).toEqual(["tea"]);
  },
); // prettier-ignore

test("a query is run once: its result may be another each time", async () => {
  const query =
    "SELECT 1 AS SessionId, (random() * 1e9)::INTEGER AS ItemId, 1 AS Time FROM range(1000) WHERE random() < 0.5";
  const { items, itemIds } = await readEvents({ database, query });
  expect(items.length).toBeGreaterThan(300);
  expect(itemIds.length).toBeLessThanOrEqual(items.length);
});

test.each<[string, { table: string } | { query: string }, RegExp]>([
  ["a view whose tables are elsewhere", { table: "elsewhere" }, /shop\.duckdb/],
  ["a missing table", { table: "click" }, /Expected a table click in .*shop\.duckdb but it has bad, clicks, elsewhere, empty, item_ids, odd "name"\.x, web\.late, web\.recent$/],
  ["an empty table", { table: "empty" }, /Expected at least one event but received none in the table empty of .*shop\.duckdb$/],
  ["a query that finds nothing", { query: "FROM clicks WHERE Time > 9" }, /received none in the query's result in .*shop\.duckdb$/],
  ["a query that is none", { query: "SELEC 1" }, /Expected the query's result in .*shop\.duckdb but syntax error at or near "SELEC"/],
  ["a query that writes", { query: "DROP TABLE clicks" }, /Expected the query's result/],
  ["a query without a column", { query: "SELECT SessionId, ItemId FROM clicks" }, /Expected the columns .* in the query's result in .* but Time is missing/],
  ["a bad row", { table: "bad" }, /Expected ItemId in row 2 to be an id but received "" in the table bad of .*shop\.duckdb$/],
])("refuses %s", async (_, source, message) => {
  await expectFailure(() => readEvents({ database, ...source }), "ERR_DATA", message);
}); // prettier-ignore

test.each<[string, () => DataInput, "ERR_FILE" | "ERR_ARGUMENT", RegExp]>([
  ["a file that is none", () => ({ database: folder.write("x.db", "hello"), table: "a" }), "ERR_FILE", /x\.db to be a DuckDB or SQLite file but it is neither$/],
  ["a file that is not there", () => ({ database: folder.path("no.db"), table: "a" }), "ERR_FILE", /no\.db to be a readable file but there is no such file$/],
  ["half a file", () => ({ database: folder.write("half.db", Buffer.from("12345678DUCK0000")), table: "a" }), "ERR_FILE", /half\.db to be a readable DuckDB file but /],
  ["a database by its path alone", () => database, "ERR_ARGUMENT", /Expected \{ database: ".*shop\.duckdb", table: "…" \} or .* but received its path$/],
])("refuses %s", async (_, data, code, message) => {
  await expectFailure(() => readEvents(data()), code, message);
}); // prettier-ignore

test("bad rows are skipped and counted", async () => {
  const notes: string[] = [];
  const options = { skipBadRows: true, onNote: (note: string) => notes.push(note) };
  expect((await readEvents({ database, table: "bad" }, options)).itemIds).toEqual(["tea"]);
  expect(notes).toEqual([
    expect.stringMatching(/^skipped 2 rows of the table bad of .*: Expected ItemId in row 2 .*; Expected SessionId in row 3 to be an id but received null in [^;]*$/), // prettier-ignore
  ]);
});
