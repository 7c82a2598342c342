import { gzipSync } from "node:zlib";
import { readEvents, type DataInput } from "../../../lib/data";
import { runSql } from "../../support/duckdb";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

const folder = temporaryFolder();
const HEADER = "SessionId,ItemId,Time\n";

/** What is left of data, as rows, and the notes. */
async function skip(data: DataInput) {
  const notes: string[] = [];
  const { offsets, items, itemIds, sessionIds, times } = await readEvents(data, { skipBadRows: true, onNote: (note) => notes.push(note) }); // prettier-ignore
  const rows = Array.from(
    { length: offsets.length - 1 },
    (_, s) =>
    Array.from(items.subarray(offsets[s], offsets[s + 1]), (item, i) => [sessionIds.at(s), itemIds[item], times[offsets[s]! + i]]), // prettier-ignore
  );
  return { rows: rows.flat(), notes };
}

describe("of a text file", () => {
  test("nothing is noted where all rows are events", async () => {
    expect(await skip(folder.write("good.csv", `${HEADER}1,2,3\r\n1,4,5\n`))).toEqual({
      rows: [
        [1, 2, 3],
        [1, 4, 5],
      ],
      notes: [],
    });
  });

  test("rows with missing fields, empty ids and times that are none are counted, the first three shown", async () => {
    const path = folder.write("bad.csv", `\ufeff${HEADER}1,2,3\r\n1,2\r\n\r\n,2,3\r\n1,,3\r\n1,4,x\r\n1,5,-1\r\n"1",6,7,\r\n1,"8"x,9\r\n`); // prettier-ignore
    const { rows, notes } = await skip(path);
    expect(rows).toEqual([
      [1, 2, 3],
      [1, 6, 7],
    ]);
    expect(notes).toEqual([
      `skipped 6 rows of ${path}: Expected 3 fields (SessionId, ItemId, Time) on line 3 but received 2 in ${path}; ` +
        `Expected SessionId on line 5 to be an id but received an empty field in ${path}; ` +
        `Expected ItemId on line 6 to be an id but received an empty field in ${path}; …`,
    ]);
  });

  test.each([
    ["in the middle", '1,2,3\n1,"4,5\n1,6,7\n1,8,9\n', 3],
    ["at the end", '1,2,3\n1,6,7\n1,8,9\n1,"4,5', 5],
    ["twice", '1,2,3\n1,"4,5\n1,6,7\n1,"4,5\n1,8,9\n', 3],
  ])("a quote that never closes, %s, costs no row but its own", async (_, text, line) => {
    const { rows, notes } = await skip(folder.write("quote.csv", HEADER + text));
    expect(rows).toEqual([
      [1, 2, 3],
      [1, 6, 7],
      [1, 8, 9],
    ]);
    expect(notes).toEqual([expect.stringMatching(new RegExp(`^skipped [12] rows? of .* on line ${line} `))]);
  });

  test("rows in quotes over several lines stay", async () => {
    const { rows, notes } = await skip(folder.write("lines.csv", `${HEADER}1,"a\n\nb",3\n1,x\n1,"c""d",5\n`));
    expect(rows).toEqual([
      [1, "a\n\nb", 3],
      [1, 'c"d', 5],
    ]);
    expect(notes).toEqual([expect.stringMatching(/^skipped 1 row of .* on line 5 /)]);
  });

  test("the kind of most times counts, not that of the first", async () => {
    const { rows, notes } = await skip(folder.write("kinds.csv", `${HEADER}1,2,2024-01-01\n1,4,5\n1,6,7\n`));
    expect(rows).toEqual([
      [1, 4, 5],
      [1, 6, 7],
    ]);
    expect(notes).toEqual([expect.stringContaining('on line 2 to be a finite number from 0 on but received "2024')]);
  });

  test("bytes that are no UTF-8", async () => {
    const content = Buffer.concat([Buffer.from(`${HEADER}1,2,3\n1,`), Buffer.of(0xff), Buffer.from(",4\n1,6,7\n")]);
    const { rows, notes } = await skip(folder.write("bytes.csv", content));
    expect([rows.length, notes[0]]).toEqual([2, expect.stringContaining("Expected UTF-8 on line 3")]);
  });

  test("of several files, compressed ones too, each row with its file", async () => {
    const paths = [
      folder.write("s1.csv", `${HEADER}1,2,3\n1,2\n`),
      folder.write("s2.csv.gz", gzipSync(`${HEADER}x\n1,4,5\n`)),
    ];
    const { rows, notes } = await skip({ paths });
    expect(rows).toEqual([
      [1, 2, 3],
      [1, 4, 5],
    ]);
    expect(notes).toEqual([expect.stringMatching(/^skipped 2 rows of .*s1\.csv, .*s2\.csv\.gz: .* line 3 .* in .*s1\.csv; .* line 2 .* in .*s2\.csv\.gz$/)]); // prettier-ignore
  });

  test("a large file", async () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => (i % 1000 === 7 ? `${i},x` : `${i},"2",${i}`));
    const { rows, notes } = await skip(folder.write("large.csv", HEADER + lines.join("\n")));
    expect([rows.length, notes[0]]).toEqual([99_900, expect.stringMatching(/^skipped 100 rows .* line 9 /)]);
  });

  test("where none is left", async () => {
    const path = folder.write("none.csv", `${HEADER}1,2\n`);
    await expectFailure(() => skip(path), "ERR_DATA", `Expected at least one event but received none in ${path}`);
  });
});

test("of JSON lines: other values and ids of another kind than most", async () => {
  const good = '{"SessionId":1,"ItemId":2,"Time":3}';
  const lines = ['{"SessionId":1,"ItemId":"2","Time":3}', good, "{", "5", '{"SessionId":1,"Time":3}', good];
  const { rows, notes } = await skip(folder.write("bad.jsonl", lines.join("\n")));
  expect(rows).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ]);
  expect(notes).toEqual([
    expect.stringMatching(/^skipped 4 rows of .*: Expected ItemId on line 1 .* received "2" .*; .* line 3 .*; .* line 4 .*; …$/), // prettier-ignore
  ]);
});

test("of Parquet files, each row with its file", async () => {
  const write = async (name: string, values: string) => {
    const select = `SELECT * FROM (VALUES ${values}) t(SessionId, ItemId, Time)`;
    await runSql(`COPY (${select}) TO '${folder.path(name)}' (FORMAT parquet)`);
    return folder.path(name);
  };
  const paths = [
    await write("p1.parquet", "(1, 'a', '2024-01-01'), (NULL, 'b', '2024-01-01'), (2, 'c', '5')"),
    await write("p2.parquet", "(3, 'd', '2024-01-02'), (4, '', '2024-01-02'), (4, 'e', 'noon')"),
  ];
  const { rows, notes } = await skip({ paths });
  expect(rows.map(([session]) => session)).toEqual([1, 3]);
  expect(notes).toEqual([
    expect.stringMatching(
      /^skipped 4 rows of .*: Expected SessionId in row 2 to be an id but received null in .*p1\.parquet; Expected Time in row 3 to be ISO 8601 text .* received "5" in .*p1\.parquet; Expected ItemId in row 2 .* received "" in .*p2\.parquet; …$/,
    ),
  ]);
});

test("of columns and of iterables, each with its index", async () => {
  const columns = { sessionId: [1, 1.5, 1], itemId: ["a", "b", "c"], time: [1, 2, 3] };
  const left = [
    [1, "a", 1],
    [1, "c", 3],
  ];
  expect(await skip(columns)).toEqual({
    rows: left,
    notes: [expect.stringMatching(/^skipped 1 row of the columns: Expected sessionId\[1\] to be .* received 1\.5/)],
  });
  const events = [null, { session: "x", item: "y", time: "noon" }, { session: 1, item: "a", time: 1 }, { session: "1", item: "z", time: 2 }, { session: 1, item: "c", time: 3 }]; // prettier-ignore
  expect(await skip(events as DataInput)).toEqual({
    rows: left,
    notes: [
      expect.stringMatching(
        /^skipped 3 rows of the events: Expected event 0 .*; Expected time of event 1 .*; Expected session of event 3 to be a number like session of event 2 but received "1"/,
      ),
    ],
  });
});
