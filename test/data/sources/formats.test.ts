import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { PackedText, readEvents, type DataInput, type ReadOptions } from "../../../lib/data";
import { runSql } from "../../support/duckdb";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

const folder = temporaryFolder();
const refuses = (data: DataInput, message: string | RegExp, options: ReadOptions = {}) =>
  expectFailure(() => readEvents(data, { onNote: () => undefined, ...options }), "ERR_DATA", message);

// Three sessions, one of them in both halves.
const EVENTS = [
  { SessionId: 2, ItemId: 20, Time: 5 },
  { SessionId: 1, ItemId: 10, Time: 3 },
  { SessionId: 2, ItemId: 10, Time: 4 },
  { SessionId: 1, ItemId: 30, Time: 9 },
];
const LOG = {
  itemIds: Float64Array.of(20, 10, 30),
  sessionIds: Float64Array.of(1, 2),
  offsets: Int32Array.of(0, 2, 4),
  items: Int32Array.of(1, 2, 1, 0),
  times: Float64Array.of(3, 9, 4, 5),
};
const csv = (events = EVENTS, delimiter = ",") =>
  ["SessionId,ItemId,Time", ...events.map((event) => Object.values(event).join(","))].join("\n").replaceAll(",", delimiter); // prettier-ignore
const jsonl = (events: readonly object[] = EVENTS) => events.map((event) => JSON.stringify(event)).join("\n");
const valuesSql = (events = EVENTS) => `(VALUES ${events.map((event) => `(${Object.values(event).join()})`).join()}) t(SessionId, ItemId, Time)`; // prettier-ignore
const writeParquet = async (name: string, select: string) => {
  await runSql(`COPY (${select}) TO '${folder.path(name)}' (FORMAT parquet)`);
  return folder.path(name);
};
const writeZstandard = async (name: string, text: string) => {
  folder.write(`${name}.plain`, text);
  const raw = "auto_detect=false, delim='\x01', quote='', escape='', header=false";
  const lines = `SELECT line FROM read_csv('${folder.path(`${name}.plain`)}', ${raw}, columns={line: 'VARCHAR'})`;
  const plain = "FORMAT csv, DELIMITER '\x01', QUOTE '', ESCAPE '', HEADER false";
  await runSql(`COPY (${lines}) TO '${folder.path(name)}' (${plain}, COMPRESSION zstd)`);
  return folder.path(name);
};

describe("the same log from", () => {
  test.each<[string, () => string | Promise<string>]>([
    ["CSV", () => folder.write("a.csv", csv())],
    ["TSV", () => folder.write("a.tsv", csv(EVENTS, "\t"))],
    ["CSV, gzip", () => folder.write("a.csv.gz", gzipSync(csv()))],
    ["CSV, gzip in two members", () => folder.write("b.csv.gz", Buffer.concat([gzipSync(csv()).subarray(0), gzipSync("\n")]))],
    ["TSV, gzip without the ending", () => folder.write("packed", gzipSync(csv(EVENTS, "\t")))],
    ["CSV, Zstandard", () => writeZstandard("a.csv.zst", csv())],
    ["JSON lines", () => folder.write("a.jsonl", jsonl())],
    ["JSON lines with blank lines, CRLF and other keys", () => folder.write("b.ndjson", jsonl(EVENTS.map((event, i) => ({ price: i, ...event, tags: ["x"] }))).replaceAll("\n", "\r\n\r\n"))],
    ["JSON lines with a byte order mark", () => folder.write("c.jsonl", `\ufeff${jsonl()}`)],
    ["JSON lines, gzip", () => folder.write("a.jsonl.gz", gzipSync(jsonl()))],
    ["JSON lines, Zstandard", () => writeZstandard("a.ndjson.zst", jsonl())],
    ["Parquet", () => writeParquet("a.parquet", `SELECT * FROM ${valuesSql()}`)],
  ])("%s", async (_, write) => {
    expect(await readEvents(await write())).toMatchObject(LOG);
  }); // prettier-ignore

  test("a stream in each format", async () => {
    const path = await writeParquet("stream.parquet", `SELECT * FROM ${valuesSql()}`);
    const stream = (content: string | Buffer) => Readable.from([content], { objectMode: false });
    expect(await readEvents(stream(readFileSync(path)), { format: "parquet" })).toMatchObject(LOG);
    expect(await readEvents(stream(jsonl()), { format: "jsonl" })).toMatchObject(LOG);
    expect(await readEvents(stream(gzipSync(csv())))).toMatchObject(LOG);
  });
});

test("the format wins over the name", async () => {
  const path = folder.write("events.json", jsonl());
  expect(await readEvents(path, { format: "jsonl" })).toMatchObject(LOG);
  await refuses(path, "Expected the columns SessionId, ItemId, Time in");
  await refuses(folder.write("wrong.parquet", csv()), /wrong\.parquet to be a whole Parquet file but it is cut short/);
});

describe("several files", () => {
  const halves = [EVENTS.slice(0, 2), EVENTS.slice(2)] as const;

  test("of a folder come by name; hidden files, folders and other endings are left out", async () => {
    mkdirSync(folder.path("days/old"), { recursive: true });
    folder.write("days/2.csv", csv(halves[1]));
    folder.write("days/1.csv.gz", gzipSync(csv(halves[0])));
    for (const name of ["_SUCCESS", ".hidden.csv", "README.md", "old/1.csv"]) folder.write(`days/${name}`, "x");
    expect(await readEvents(folder.path("days"))).toMatchObject(LOG);
  });

  test("of a pattern come by name", async () => {
    mkdirSync(folder.path("months"));
    for (const [i, half] of halves.entries()) folder.write(`months/m${i}.jsonl`, jsonl(half));
    folder.write("months/other.jsonl", "x");
    expect(await readEvents(folder.path("months/m*.jsonl"))).toMatchObject(LOG);
    await expectFailure(() => readEvents(folder.path("none*")), "ERR_FILE", "none* but there are none");
  });

  test("of a list come as they are listed", async () => {
    const paths = await Promise.all(halves.map((half, i) => writeParquet(`${9 - i}.pq`, `SELECT * FROM ${valuesSql(half)}`))); // prettier-ignore
    expect(await readEvents({ paths })).toMatchObject(LOG);
    expect((await readEvents({ paths: [...paths].reverse() })).itemIds).toEqual(Float64Array.of(10, 30, 20));
  });

  test("many of them keep their order", async () => {
    mkdirSync(folder.path("many"));
    const count = 12;
    const rows = 20_000;
    for (let i = 0; i < count; ++i) {
      const lines = Array.from({ length: rows }, (_, row) => `1,${i * rows + row},5`);
      folder.write(`many/${String(i).padStart(2, "0")}.csv`, `SessionId,ItemId,Time\n${lines.join("\n")}\n`);
    }
    const { items, itemIds } = await readEvents(folder.path("many"));
    expect(items.findIndex((item, event) => itemIds[item] !== event)).toBe(-1);
    expect(items.length).toBe(count * rows);
  });

  test("of two kinds are refused", async () => {
    const paths = [folder.write("k.csv", csv()), folder.write("k.jsonl", jsonl())];
    await refuses({ paths }, /Expected files of one kind but received .*k\.csv \(csv\) and .*k\.jsonl \(jsonl\)/);
  });

  test("of other columns or types are refused, with the file", async () => {
    const first = folder.write("h1.csv", csv());
    await refuses({ paths: [first, folder.write("h2.csv", "ItemId,SessionId,Time\n1,2,3\n")] }, /Expected the columns SessionId, ItemId, Time \(with commas between\) in .*h2\.csv as in .*h1\.csv but received ItemId,/); // prettier-ignore
    await refuses({ paths: [first, folder.write("h3.tsv", csv(EVENTS, "\t"))] }, /h3\.tsv as in .*\(with tabs between\)/); // prettier-ignore
    const parquet = await writeParquet("h.parquet", `SELECT * FROM ${valuesSql()}`);
    const text = await writeParquet("h2.parquet", `SELECT SessionId, ItemId::VARCHAR AS ItemId, Time FROM ${valuesSql()}`); // prettier-ignore
    await refuses({ paths: [parquet, text] }, /Expected ItemId in .*h2\.parquet to be INTEGER as in .*h\.parquet but it is VARCHAR/); // prettier-ignore
    const less = await writeParquet("h3.parquet", `SELECT SessionId, Time FROM ${valuesSql()}`);
    await refuses({ paths: [parquet, less] }, /Expected ItemId in .*h3\.parquet to be INTEGER .* but it is missing/);
  });

  test("whose ids are integers in one and text in another are refused, with the files", async () => {
    const paths = [folder.write("i1.csv", csv()), folder.write("i2.csv", "SessionId,ItemId,Time\n1,a,3\n1,7,3\n")];
    await refuses({ paths }, /Expected ItemId to be integers in all files, .* integers in .*i1\.csv and text in .*i2\.csv$/); // prettier-ignore
    const lines = [folder.write("i1.jsonl", jsonl()), folder.write("i2.jsonl", '{"SessionId":1,"ItemId":"7","Time":3}')]; // prettier-ignore
    await refuses({ paths: lines }, /Expected ItemId on line 1 to be an integer as before but received "7" in .*i2\.jsonl$/); // prettier-ignore
    const both = [folder.write("t1.csv", "SessionId,ItemId,Time\n1,a,3\n1,7,3\n"), folder.write("t2.csv", "SessionId,ItemId,Time\n1,b,3\n")]; // prettier-ignore
    expect((await readEvents({ paths: both })).itemIds).toEqual(["a", "7", "b"]);
  });

  test("of two kinds of times are refused, with the file", async () => {
    const paths = [folder.write("t3.csv", csv()), folder.write("t4.csv", "SessionId,ItemId,Time\n1,4,2024-01-01\n")];
    await refuses({ paths }, /Expected Time on line 2 to be a finite number from 0 on but received "2024-01-01" in .*t4\.csv$/); // prettier-ignore
  });

  test("a bad row is named with its file", async () => {
    const paths = [folder.write("b1.csv", csv()), folder.write("b2.csv", `${csv()}\n1,2\n`)];
    await refuses({ paths }, /Expected 3 fields .* on line 6 but received 2 in .*b2\.csv$/);
    const bad = await writeParquet("bad.parquet", `SELECT 1 AS SessionId, NULL::INTEGER AS ItemId, 3 AS Time`);
    const good = await writeParquet("good.parquet", `SELECT * FROM ${valuesSql()}`);
    await refuses({ paths: [good, bad] }, /Expected ItemId in row 1 to be an id but received null in .*bad\.parquet$/);
  });

  test("one that is not there is named", async () => {
    const path = folder.path("gone.csv");
    await expectFailure(() => readEvents({ paths: [folder.write("here.csv", csv()), path] }), "ERR_FILE", `${path} to be a readable file but there is no such file`); // prettier-ignore
  });
});

describe("types of columns", () => {
  const read = async (item: string, time = "1") =>
    readEvents(await writeParquet("types.parquet", `SELECT 'a' AS SessionId, ${item} AS ItemId, ${time} AS Time`));

  test.each<[string, unknown]>([
    ["7::TINYINT", Float64Array.of(7)],
    ["7::UINTEGER", Float64Array.of(7)],
    ["-7::BIGINT", Float64Array.of(-7)],
    ["9007199254740993::BIGINT", BigInt64Array.of(9007199254740993n)],
    ["7::UBIGINT", Float64Array.of(7)],
    ["18446744073709551615::UBIGINT", ["18446744073709551615"]],
    ["7::DECIMAL(9,0)", Float64Array.of(7)],
    ["'07'", ["07"]],
    ["'7'", ["7"]],
    ["'6F9619FF-8B86-D011-B42D-00C04FC964FF'::UUID", ["6f9619ff-8b86-d011-b42d-00c04fc964ff"]],
    ["'x'::ENUM('x', 'y')", ["x"]],
  ])("an id %s", async (sql, ids) => {
    const { itemIds, sessionIds } = await read(sql);
    expect(itemIds).toEqual(ids);
    expect(sessionIds).toEqual(PackedText.of(["a"]));
  });

  test.each(["1.5::DOUBLE", "true", "DATE '2024-01-01'", "'a'::BLOB", "1.5::DECIMAL(3,1)"])("no id %s", async (sql) => {
    await expectFailure(() => read(sql), "ERR_DATA", /Expected ItemId in .*types\.parquet to hold integers, text or UUIDs but it holds /); // prettier-ignore
  });

  test.each<[string, number]>([
    ["1714564800::INTEGER", 1714564800],
    ["1714564800250::BIGINT", 1714564800.25],
    ["1714564800.25::DOUBLE", 1714564800.25],
    ["1714564800.25::DECIMAL(14,2)", 1714564800.25],
    ["TIMESTAMP '2024-05-01 12:00:00.25'", 1714564800.25],
    ["TIMESTAMP_S '2024-05-01 12:00:00'", 1714564800],
    ["TIMESTAMP_MS '2024-05-01 12:00:00.25'", 1714564800.25],
    ["TIMESTAMP_NS '2024-05-01 12:00:00.25'", 1714564800.25],
    ["TIMESTAMPTZ '2024-05-01 14:00:00+02'", 1714564800],
    ["DATE '2024-05-01'", 1714521600],
    ["'2024-05-01T14:00:00+02:00'", 1714564800],
    ["'1714564800'", 1714564800],
  ])("a time %s", async (sql, seconds) => {
    expect((await read("1", sql)).times).toEqual(Float64Array.of(seconds));
  });

  test.each(["TIME '12:00:00'", "'a'::BLOB"])("no time %s", async (sql) => {
    await expectFailure(() => read("1", sql), "ERR_DATA", /Expected Time in .* to hold numbers, timestamps, dates or ISO 8601 text but/); // prettier-ignore
  });

  test.each([
    ["NULL::BIGINT", "a finite number from 0 on but received null"],
    ["-1", 'a finite number from 0 on but received "-1"'],
    ["'nan'::DOUBLE", 'a finite number from 0 on but received "nan"'],
    ["'infinity'::TIMESTAMP", 'a timestamp from 1970 on but received "infinity"'],
    ["TIMESTAMP '1969-12-31'", 'a timestamp from 1970 on but received "1969-12-31 00:00:00"'],
    ["'noon'", 'a finite number from 0 on but received "noon"'],
  ])("a time that is none: %s", async (sql, message) => {
    await expectFailure(() => read("1", sql), "ERR_DATA", `Expected Time in row 1 to be ${message} in `);
  });

  test("of JSON: text stays text, integers are numbers or bigints, or text beyond 64 bits", async () => {
    const items = async (...ids: string[]) => {
      const lines = ids.map((id, i) => `{"session_id": "1", "item_id": ${id}, "ts": ${i}}`);
      const { itemIds } = await readEvents(folder.write("ids.jsonl", lines.join("\n")), { onNote: () => undefined });
      return itemIds;
    };
    expect(await items('"7"', '"2024-01-01"')).toEqual(["7", "2024-01-01"]);
    expect(await items("7", "-8")).toEqual(Float64Array.of(7, -8));
    expect(await items("9007199254740993", "1")).toEqual(BigInt64Array.of(9007199254740993n, 1n));
    expect(await items("18446744073709551615", "1")).toEqual(["18446744073709551615", "1"]);
  });

  test.each([
    ['{"SessionId":1,"ItemId":1,"Time":1', /Expected a JSON object on line 2 but .* in .*bad\.jsonl$/],
    ["[1]", "Expected a JSON object on line 2 but it is another value"],
    ['{"SessionId":1,"Time":1}', "Expected ItemId on line 2 to be an integer or text but received nothing"],
    ['{"SessionId":1,"ItemId":1.5,"Time":1}', "Expected ItemId on line 2 to be an integer or text but received 1.5"],
    ['{"SessionId":"","ItemId":1,"Time":1}', 'Expected SessionId on line 2 to be an integer or text but received ""'],
    ['{"SessionId":1,"ItemId":"1","Time":1}', 'Expected ItemId on line 2 to be an integer as before but received "1"'],
    ['{"SessionId":1,"ItemId":1,"Time":"noon"}', 'Expected Time on line 2 to be a finite number from 0 on but received "noon"'],
    ['{"SessionId":1,"ItemId":1,"Time":-1}', "Expected Time on line 2 to be a finite number from 0 on but received -1"],
  ])("of JSON: refuses %s", async (line, message) => {
    await refuses(folder.write("bad.jsonl", `{"SessionId":1,"ItemId":1,"Time":1}\n${line}\n`), message);
  }); // prettier-ignore
});

describe("files cut short are refused:", () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => `${(i * 7919) % 1009},${(i * 31) % 97},${i}`);
  const text = `SessionId,ItemId,Time\n${rows.join("\n")}\n`;
  const cut = (path: string, bytes: number) => {
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, bytes > 0 ? bytes : whole.length + bytes));
    return path;
  };

  test.each([-1, -8, -100, 5000])("gzip, %i bytes", async (bytes) => {
    const path = cut(folder.write("cut.csv.gz", gzipSync(text)), bytes);
    await refuses(path, /Expected .*cut\.csv\.gz to be a whole gzip file but it is cut short$/);
  });

  test.each([-1, -100, 5000])("Zstandard, %i bytes", async (bytes) => {
    const path = cut(await writeZstandard("cut.csv.zst", text), bytes);
    await refuses(path, /Expected .*cut\.csv\.zst to be a whole Zstandard file but it is cut short$/);
  });

  test("a damaged gzip file", async () => {
    const packed = gzipSync(text);
    packed.fill(0xff, 3000, 3050);
    await refuses(folder.write("damaged.csv.gz", packed), /damaged\.csv\.gz to be a whole gzip file but it is damaged/);
  });

  test.each([-1, -100, 500, 3])("Parquet, %i bytes", async (bytes) => {
    const path = cut(await writeParquet("cut.parquet", "SELECT range AS SessionId, range AS ItemId, range AS Time FROM range(10000)"), bytes); // prettier-ignore
    await refuses(path, /Expected .*cut\.parquet to be a whole Parquet file but it is cut short/);
  });

  test("Parquet damaged in the middle", async () => {
    const path = await writeParquet("damaged.parquet", "SELECT range AS SessionId, hash(range)::VARCHAR AS ItemId, range AS Time FROM range(100000)"); // prettier-ignore
    writeFileSync(path, readFileSync(path).fill(7, 1000, 900_000));
    await refuses(path, /damaged\.parquet/);
  });
});

test("rows of large files keep their order, in every format", async () => {
  // All at one time, in few sessions: only the order of the rows tells what comes first.
  const rows = "SELECT range % 10 AS SessionId, (range * 7919) % 1009 AS ItemId, 5 AS Time FROM range(300000)";
  const shop = folder.path("large.duckdb");
  const path = (ending: string) => folder.path(`large.${ending}`);
  await runSql(
    `COPY (${rows}) TO '${path("parquet")}' (FORMAT parquet, ROW_GROUP_SIZE 50000)`,
    `COPY (${rows}) TO '${path("csv")}' (FORMAT csv)`,
    `COPY (${rows}) TO '${path("csv.zst")}' (FORMAT csv, COMPRESSION zstd)`,
    `COPY (${rows}) TO '${path("jsonl")}' (FORMAT json)`,
    `ATTACH '${shop}' AS shop`,
    `CREATE TABLE shop.clicks AS ${rows}`,
  );
  const log = await readEvents(path("csv"));
  const itemOf = (row: number) => (row * 7919) % 1009;
  const wrong = log.items.findIndex((item, i) => log.itemIds[item] !== itemOf(10 * (i % 30_000) + Math.floor(i / 30_000))); // prettier-ignore
  expect(wrong).toBe(-1);
  const others = [path("csv.zst"), path("jsonl"), path("parquet"), { database: shop, table: "clicks" }, { database: shop, query: "FROM clicks" }]; // prettier-ignore
  for (const data of others) {
    const { items, itemIds } = await readEvents(data);
    expect([Buffer.compare(Buffer.from(items.buffer), Buffer.from(log.items.buffer)), itemIds]).toEqual([
      0,
      log.itemIds,
    ]);
  }
}, 60_000);

test("times may be out of order, equal, and in the future", async () => {
  const { times, items } = await readEvents(
    folder.write("times.csv", "SessionId,ItemId,Time\n1,1,9e9\n1,2,3\n1,3,3\n"),
  );
  expect([times, items]).toEqual([Float64Array.of(3, 3, 9e9), Int32Array.of(1, 2, 0)]);
});

test("nothing stays in the temporary folder", async () => {
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith("gru4rec-"));
  const before = left();
  await readEvents(folder.write("tidy.csv.gz", gzipSync(csv())));
  await refuses(folder.write("tidy2.csv.gz", gzipSync(`${csv()}\n1,2`)), "Expected 3 fields");
  expect(left().filter((name) => !before.includes(name))).toEqual([]);
});
