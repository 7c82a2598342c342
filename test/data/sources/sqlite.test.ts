import { readEvents } from "../../../lib/data";
import { loadPeer } from "../../../lib/data/sources/peer";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

const folder = temporaryFolder();
const database = folder.write("shop.sqlite", "SQLite format 3\0 and more");

/**
 * A stand-in for the package, with what is used of it: it fails when it is told to, and is there where the package could
 * not be installed, which is compiled. better-sqlite3.test.ts reads real files by the real one.
 */
let rows: unknown[][];
let names: string[];
const calls: unknown[] = [];
let failure: string | undefined;

class Stand {
  private busy = false;

  constructor(path: string, options: object) {
    calls.push(["open", path, options]);
    if (failure === "open") throw new Error("unable to open database file");
  }
  prepare(sql: string) {
    calls.push(["prepare", sql]);
    if (failure === "prepare") throw new Error("no such table: clicks");
    const statement = {
      raw: () => statement,
      safeIntegers: () => statement,
      columns: () => names.map((name) => ({ name })),
      iterate: () => this.iterate(),
    };
    return statement;
  }
  private *iterate() {
    this.busy = true;
    try {
      yield* rows;
      if (failure === "iterate") throw new Error("database disk image is malformed");
    } finally {
      this.busy = false;
    }
  }
  close() {
    if (this.busy) throw new TypeError("This database connection is busy executing a query");
    calls.push("close");
  }
}
jest.mock("better-sqlite3", () => Stand, { virtual: true });

beforeEach(() => {
  [failure, calls.length] = [undefined, 0];
  names = ["SessionId", "price", "ItemId", "Time"];
  rows = [
    [2n, 1.5, "tea", 5n],
    [1n, null, "cup", 4n],
    [2n, 1n, "7", 3n],
  ];
});

test("a table: integers that are safe are numbers, text stays text", async () => {
  const log = await readEvents({ database, table: 'my.odd "clicks' });
  expect(log).toMatchObject({
    itemKind: "string",
    itemIds: ["tea", "cup", "7"],
    sessionKind: "number",
    sessionIds: Float64Array.of(1, 2),
    times: Float64Array.of(4, 3, 5),
  });
  expect(calls).toEqual([
    ["open", database, { readonly: true, fileMustExist: true }],
    ["prepare", 'SELECT * FROM "my"."odd ""clicks"'],
    "close",
  ]);
});

test("a query, integers that are not safe, and times as text", async () => {
  rows = [[1n, 0n, 2n ** 60n, "2024-05-01 12:00:00"]];
  const log = await readEvents({ database, query: "SELECT 1" });
  expect([log.itemIds, log.times]).toEqual([BigInt64Array.of(2n ** 60n), Float64Array.of(1714564800)]);
  expect(calls[1]).toEqual(["prepare", "SELECT 1"]);
});

test("bad rows are named, or skipped and counted", async () => {
  rows.splice(1, 0, [null, 0, "x", 1n], [1n, 0, 5n, 1n], [1n, 0, "y", "noon"]);
  await expectFailure(() => readEvents({ database, table: "clicks" }), "ERR_DATA", /Expected SessionId in row 2 of the table clicks of .*shop\.sqlite to be .* but received null$/); // prettier-ignore
  const notes: string[] = [];
  const log = await readEvents(
    { database, table: "clicks" },
    { skipBadRows: true, onNote: (note) => notes.push(note) },
  );
  expect(log.itemIds).toEqual(["tea", "cup", "7"]);
  expect(notes).toEqual([expect.stringMatching(/^skipped 3 rows of the table clicks of .*row 2 .*; Expected ItemId in row 3 .* like ItemId in row 1 .*; Expected Time in row 4 [^;]*$/)]); // prettier-ignore
});

test.each([
  ["open", "ERR_FILE", /Expected .*shop\.sqlite to be a readable SQLite file but unable to open database file$/],
  ["prepare", "ERR_DATA", /Expected the table clicks of .*shop\.sqlite but no such table: clicks$/],
  ["iterate", "ERR_DATA", /Expected the table clicks of .*shop\.sqlite but database disk image is malformed$/],
] as const)("what fails to %s", async (what, code, message) => {
  failure = what;
  await expectFailure(() => readEvents({ database, table: "clicks" }), code, message);
  expect(calls.includes("close")).toBe(what !== "open");
});

test("a query that finds nothing", async () => {
  rows = [];
  await expectFailure(() => readEvents({ database, query: "SELECT" }), "ERR_DATA", /received none in the query's result in .*shop\.sqlite$/); // prettier-ignore
});

test("without the package the message says what to install", async () => {
  await expectFailure(
    () => loadPeer("gru4rec-no-such-package", "read the SQLite file x"),
    "ERR_FILE",
    "Expected the package gru4rec-no-such-package to read the SQLite file x but it is not installed: npm install gru4rec-no-such-package",
  );
});
