import { mkdirSync, writeFileSync } from "node:fs";
import { PackedText, readEvents } from "../../../lib/data";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

const folder = temporaryFolder();
let files = 0;
const file = (content: string | Buffer, name = `log-${++files}`) => folder.write(name, content);
const read = (content: string) => readEvents(file(content));
const HEADER = "SessionId\tItemId\tTime\n";

const refuses = (content: string | Buffer, message: string | RegExp) =>
  expectFailure(() => readEvents(file(content)), "ERR_DATA", message);

describe("a file", () => {
  test("with tabs: numbers in the order of their first appearance", async () => {
    expect(await read(`${HEADER}7\t30\t1.5\n3\t10\t0\n7\t30\t2e3\n`)).toEqual({
      itemKind: "number",
      itemIds: Float64Array.of(30, 10),
      sessionKind: "number",
      sessionIds: Float64Array.of(3, 7),
      offsets: Int32Array.of(0, 1, 3),
      items: Int32Array.of(1, 0, 0),
      times: Float64Array.of(0, 1.5, 2000),
      startTimes: Float64Array.of(0, 1.5),
      endTimes: Float64Array.of(0, 2000),
    });
  });

  test("with commas, quotes, columns in another order and more of them", async () => {
    const log = await read('Time,Name,ItemId,"SessionId"\n5,"Smith, ""J""\nx",b,s1\n6,y,"a,b",s1\n');
    expect(log.itemIds).toEqual(["b", "a,b"]);
    expect(log.sessionIds).toEqual(PackedText.of(["s1"]));
    expect(log.times).toEqual(Float64Array.of(5, 6));
  });

  test.each([
    ["CRLF", `SessionId\tItemId\tTime\r\n1\t2\t3\r\n1\t4\t5\r\n`],
    ["CRLF and LF", `SessionId\tItemId\tTime\r\n1\t2\t3\n1\t4\t5\r\n`],
    ["LF and CRLF", `${HEADER}1\t2\t3\n1\t4\t5\r\n`],
    ["no line break at the end", `${HEADER}1\t2\t3\n1\t4\t5`],
    ["a byte order mark", `\ufeff${HEADER}1\t2\t3\n1\t4\t5\n`],
    ["blank lines", `${HEADER}\n1\t2\t3\n\n1\t4\t5\n\n`],
    ["a tab at the end of a line", `${HEADER}1\t2\t3\t\n1\t4\t5\t\n`],
  ])("with %s", async (_, content) => {
    const log = await read(content);
    expect(log.itemIds).toEqual(Float64Array.of(2, 4));
    expect(log.times).toEqual(Float64Array.of(3, 5));
  });

  test("with ISO 8601 text for times, UTC unless it says otherwise", async () => {
    const log = await read(
      `${HEADER}1\t2\t2024-05-01T12:00:00Z\n2\t2\t2024-05-01 12:00:00.25\n3\t2\t2024-05-01T14:00:00+02:00\n4\t2\t2024-05-01\n`,
    );
    expect(log.times).toEqual(Float64Array.of(1714564800, 1714564800.25, 1714564800, 1714521600));
  });

  test("with milliseconds, found out or given", async () => {
    expect((await read(`${HEADER}1\t2\t1714564800250\n`)).times).toEqual(Float64Array.of(1714564800.25));
    const options = { timeUnit: "s" } as const;
    const log = await readEvents(file(`${HEADER}1\t2\t1714564800250\n`), options);
    expect(log.times).toEqual(Float64Array.of(1714564800250));
  });

  test("with columns of other names", async () => {
    const path = file("visit,Time,product,ItemId\n1,7,2,y\n");
    const log = await readEvents(path, { columns: { sessionId: "visit", itemId: "product" } });
    expect(log.itemIds).toEqual(Float64Array.of(2));
    expect(log.times).toEqual(Float64Array.of(7));
  });

  test("longer than a buffer keeps the order of its rows", async () => {
    // All at one time, in few sessions: only the order of the rows tells what comes first.
    const count = 1_000_000;
    const itemOf = (row: number) => (row * 7919) % 1009;
    const rows = Array.from({ length: count }, (_, i) => `${i % 10}\t${itemOf(i)}\t5`);
    const log = await read(HEADER + rows.join("\n"));
    expect(log.offsets).toEqual(Int32Array.from({ length: 11 }, (_, s) => (s * count) / 10));
    expect(log.itemIds).toEqual(Float64Array.from({ length: 1009 }, (_, i) => itemOf(i)));
    const wrong = log.items.findIndex((item, i) => log.itemIds[item] !== itemOf(10 * (i % (count / 10)) + Math.floor((10 * i) / count))); // prettier-ignore
    expect(wrong).toBe(-1);
  });

  test("whose path has the characters of patterns and quotes", async () => {
    const path = folder.path("it's [a] *?.tsv");
    writeFileSync(path, `${HEADER}1\t2\t3\n`);
    writeFileSync(folder.path("it's a xx.tsv"), `${HEADER}1\t9\t3\n`);
    expect((await readEvents(path)).itemIds).toEqual(Float64Array.of(2));
  });
});

describe("ids of a text column", () => {
  const items = async (ids: string[]) => {
    const { itemKind, itemIds } = await read(HEADER + ids.map((id, i) => `1\t${id}\t${i}`).join("\n"));
    return [itemKind, itemIds];
  };
  const MAX = Number.MAX_SAFE_INTEGER;

  test("are numbers when all are canonical safe integers", async () => {
    const ids = [0, -5, MAX, -MAX];
    expect(await items(ids.map(String))).toEqual(["number", Float64Array.from(ids)]);
  });

  test("are bigints when all are canonical 64-bit integers", async () => {
    const ids = [1n, BigInt(MAX) + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
    expect(await items(ids.map(String))).toEqual(["bigint", BigInt64Array.from(ids)]);
  });

  test.each(["01", "+1", "-0", "1.0", "1e3", " 1", "0x1", String(2n ** 63n), "a", "日本😀"])(
    "are text when one is %j",
    async (id) => {
      expect(await items(["1", id, "2"])).toEqual(["string", ["1", id, "2"]]);
    },
  );

  test("do not depend on the other column", async () => {
    const log = await read(`${HEADER}x\t1\t0\nx\t2\t1\n`);
    expect([log.sessionKind, log.itemKind]).toEqual(["string", "number"]);
  });
});

describe("refuses", () => {
  test("a file that is not there", async () => {
    const path = folder.path("missing.tsv");
    await expectFailure(
      () => readEvents(path),
      "ERR_FILE",
      `Expected ${path} to be a readable file but there is no such file`,
    );
  });

  test("a folder without files", async () => {
    mkdirSync(folder.path("folder"));
    await expectFailure(() => readEvents(folder.path("folder")), "ERR_DATA", "Expected files that end in .csv,");
  });

  test("a binary file", async () => {
    await refuses(Buffer.from([7, 0x8b, 8, 0, 0, 0]), "looks like a binary file");
    await refuses("PAR1\0\0\0", "looks like a Parquet file");
    await refuses(Buffer.from([0xff, 0xfe, 0x41]), "looks like a binary file");
  });

  test("an empty file", async () => {
    await refuses("", "it is empty");
  });

  test.each([HEADER, HEADER.trim()])("a header alone, %j", async (content) => {
    await refuses(content, /Expected at least one event but received none in .*log-\d+$/);
  });

  test("a missing column, named with those found", async () => {
    await refuses(
      "SessionId\tThing\tTime\n1\t2\t3\n",
      'but ItemId is missing; found: SessionId, Thing, Time; the option columns: { itemId: "…" } (--item-column …) gives other names',
    );
    await refuses("a,b\n", "but SessionId, ItemId, Time are missing; found: a, b");
  });

  test("ISO text that is no time, among such that is, with the line number", async () => {
    await refuses(
      `${HEADER}1\t2\t2024-05-01\n1\t2\t2024-02-30\n`,
      'Expected Time on line 3 to be ISO 8601 text from 1970 on, such as 2024-05-01T12:00:00Z but received "2024-02-30"',
    );
    await refuses(`${HEADER}1\t2\t2024-05-01\n1\t2\t5\n`, "Expected Time on line 3 to be ISO 8601 text");
    await refuses(
      `${HEADER}1\t2\tnoon\n`,
      "Expected Time on line 2 to be a finite number from 0 on, or ISO 8601 text from 1970 on, such as",
    );
    await refuses(`${HEADER}1\t2\t1969-12-31\n`, "Expected Time on line 2 to be ISO 8601 text from 1970 on");
  });

  const GOOD = "1\t2\t3\n";
  test.each([
    [
      "too few fields",
      `${GOOD}1\t2\n${GOOD}`,
      3,
      "Expected 3 fields (SessionId, ItemId, Time) on line 3 but received 2",
    ],
    ["too many fields", `${GOOD}1\t2\t3\t4\n`, 3, "on line 3 but received 4"],
    [
      "text for a time",
      `${GOOD}1\t2\tnoon\n`,
      3,
      'Expected Time on line 3 to be a finite number from 0 on but received "noon"',
    ],
    ["an empty time", `${GOOD}1\t2\t\n`, 3, 'Expected Time on line 3 to be a finite number from 0 on but received ""'],
    [
      "NaN for a time",
      `${GOOD}1\t2\tnan\n`,
      3,
      'Expected Time on line 3 to be a finite number from 0 on but received "nan"',
    ],
    [
      "infinity for a time",
      `${GOOD}1\t2\tinf\n`,
      3,
      'Expected Time on line 3 to be a finite number from 0 on but received "inf"',
    ],
    [
      "a negative time",
      `${GOOD}1\t2\t-1\n`,
      3,
      'Expected Time on line 3 to be a finite number from 0 on but received "-1"',
    ],
    [
      "ISO text among numbers",
      `${GOOD}1\t2\t2024-05-01\n`,
      3,
      'Expected Time on line 3 to be a finite number from 0 on but received "2024-05-01"',
    ],
    ["an empty item id", `${GOOD}1\t\t3\n`, 3, "Expected ItemId on line 3 to be an id but received an empty field"],
    ["an empty session id", `\t2\t3\n`, 2, "Expected SessionId on line 2 to be an id but received an empty field"],
    ["an empty item id in quotes", `${GOOD}1\t""\t3\n`, 3, "Expected ItemId on line 3 to be an id"],
    ["text after a quoted field", `${GOOD}1\t"2"x\t3\n`, 3, "Expected a quoted field on line 3 to end with its quote"],
    ["a quote without an end", `${GOOD}1\t"2\t3\n${GOOD}`, 3, "Expected the quoted field that begins on line 3 to end"],
  ])("%s, with the line number", async (_, rows, line, message) => {
    await refuses(HEADER + rows, message);
    // Blank lines and quoted line breaks count as lines of the file.
    const moved = message.replace(`line ${line}`, `line ${line + 4}`);
    await refuses(`${HEADER}\n"a\nb"\t"c\td"\t0\n\n${rows}`, moved);
  });

  test("a bad row far down", async () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => `${i}\t1\t${i}\n`);
    rows[150_000] = "1\t2\tx\n";
    await refuses(HEADER + rows.join(""), "Expected Time on line 150002 to be a finite number");
  });

  test("bytes that are no UTF-8, with the line number", async () => {
    const rows = "1\t2\t3\n".repeat(20_000);
    await refuses(
      Buffer.concat([Buffer.from(HEADER + rows + "1\t"), Buffer.from([0xff]), Buffer.from("\t3\n")]),
      "Expected UTF-8 on line 20002",
    );
  });
});
