import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { prepare, readEvents } from "../../../lib";
import { OutputFolder } from "../../../lib/data";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

const folder = temporaryFolder();
const columns = {
  sessionId: ["x", "x", "y", "y", 'z"', 'z"'],
  itemId: ["a\tb", 'say "c"', "d\ne", "d\ne", "f,g", "€ "],
  time: [1_500_000_000.125, 1_500_000_001, 1_500_000_010, 1_500_000_011.5, 1_500_000_020, 1_500_000_021],
};
const parts = ["train", "validation", "test"] as const;
const options = { test: { lastSessions: 1 }, validation: { lastSessions: 1 } };

test("what is written reads as it was, whatever characters ids have", async () => {
  const path = folder.path("new/inner");
  const output = await OutputFolder.open(path, parts, "tsv");
  const prepared = await prepare(columns, options);
  const paths = await output.write([prepared], undefined);
  expect(paths).toEqual(["train", "valid", "test"].map((name) => `${path}/${name}.tsv`));
  expect(readdirSync(path).sort()).toEqual(["test.tsv", "train.tsv", "valid.tsv"]);
  expect(readFileSync(paths[0]!, "utf8")).toBe('SessionId\tItemId\tTime\nx\t"a\tb"\t1500000000.125\nx\t"say ""c"""\t1500000001\n'); // prettier-ignore
  for (const [i, part] of parts.entries()) expect(await readEvents(paths[i]!)).toEqual(prepared[part]);
});

test("prepared files hold the same logs, whose text ids of sessions are numbers", async () => {
  const prepared = await prepare(columns, options);
  const output = await OutputFolder.open(folder.path("g4r"), parts, "g4r");
  const paths = await output.write([prepared], undefined);
  expect(paths.map((path) => path.slice(-9))).toEqual(["train.g4r", "valid.g4r", "/test.g4r"]);
  for (const [i, part] of parts.entries()) {
    const { sessionIds, ...log } = await readEvents(paths[i]!);
    expect(sessionIds).toEqual(Float64Array.of(0));
    expect({ ...log, sessionKind: "string", sessionIds: prepared[part]!.sessionIds }).toEqual(prepared[part]);
  }
});

test("a log of many pieces is whole", async () => {
  const ids = Array.from({ length: 100_000 }, (_, i) => i);
  const { train } = await prepare({ sessionId: ids.map((i) => i >> 2), itemId: ids, time: ids });
  const output = await OutputFolder.open(folder.path("large"), ["train"], "tsv");
  const [path] = await output.write([{ train, report: {} as never }], undefined);
  expect(await readEvents(path!)).toEqual(train);
});

test("a failure leaves what was there, and no folder that was not", async () => {
  const path = folder.path("old");
  mkdirSync(path);
  writeFileSync(`${path}/train.tsv`, "old");
  writeFileSync(`${path}/test.tsv`, "old");
  const output = await OutputFolder.open(path, ["train", "test"], "tsv");
  const prepared = await prepare(columns, { test: { lastSessions: 1 } });
  const broken = { ...prepared, test: { ...prepared.test!, sessionIds: { length: 1, at: () => { throw new Error("no more"); } } } }; // prettier-ignore
  await expectFailure(() => output.write([broken], undefined), "ERR_FILE", "no more");
  await expectFailure(() => output.write([prepared], AbortSignal.abort()), "ERR_ABORTED", "aborted");
  expect(readdirSync(path).sort()).toEqual(["test.tsv", "train.tsv"]);
  expect([readFileSync(`${path}/train.tsv`, "utf8"), readFileSync(`${path}/test.tsv`, "utf8")]).toEqual(["old", "old"]);
  await output.discard();
  expect(existsSync(path)).toBe(true);

  const made = await OutputFolder.open(folder.path("a/b"), ["train"], "tsv", 2);
  expect(readdirSync(folder.path("a/b"))).toEqual(["window-1", "window-2"]);
  await made.discard();
  expect(existsSync(folder.path("a"))).toBe(false);
});

test("parts of an earlier preparation are refused, and what is no folder", async () => {
  mkdirSync(folder.path("stale"));
  folder.write("stale/valid.tsv", "old");
  await expectFailure(() => OutputFolder.open(folder.path("stale"), ["train", "test"], "tsv"), "ERR_FILE", /Expected .*stale without valid.tsv/); // prettier-ignore
  expect(readdirSync(folder.path("stale"))).toEqual(["valid.tsv"]);
  const file = folder.write("file", "");
  await expectFailure(() => OutputFolder.open(file, ["train"], "tsv"), "ERR_FILE", "Expected to write to the folder");
});
