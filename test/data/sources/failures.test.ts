import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { readEvents } from "../../../lib/data";
import { resourceFailure } from "../../../lib/data/duckdb/failures";
import { runSql } from "../../support/duckdb";
import { expectFailure } from "../../support/errors";
import { temporaryFolder } from "../../support/files";

const folder = temporaryFolder();

test("a memory limit that is too low says which one, and what to do", async () => {
  const lines = Array.from({ length: 200_000 }, (_, i) => `s${i},i${(i * 7919) % 150_001},${i}`);
  const path = folder.write("large.csv", `SessionId,ItemId,Time\n${lines.join("\n")}\n`);
  for (const memoryLimit of ["1KB", "4MB"]) {
    const message = `Expected ${memoryLimit} of memory to be enough to read ${path} but they are not: give a higher memoryLimit, such as "2GB" (--memory-limit)`;
    await expectFailure(() => readEvents(path, { memoryLimit }), "ERR_OUT_OF_MEMORY", message);
  }
  expect((await readEvents(path, { memoryLimit: "1 GiB" })).items.length).toBe(lines.length);
});

test.each([
  "IO Error: Could not write all bytes to file x: wanted=262144 wrote=0: No space left on device",
  "Out of Memory Error: failed to offload data block of size 256.0 KiB (10 MiB/10 MiB used). This limit was set by the 'max_temp_directory_size' setting.",
])("a disk that fills while spilling: %s", (message) => {
  const { code, message: text } = resourceFailure(new Error(message), "clicks.csv", undefined);
  expect([code, text]).toEqual([
    "ERR_FILE",
    `Expected room in ${tmpdir()} for what 512MB of memory do not hold of clicks.csv but no space is left on the disk: ` +
      "free some, name another folder with the variable TMPDIR, or give a higher memoryLimit (--memory-limit)",
  ]);
});

test.each([
  ["CSV", "gone.csv", () => Promise.resolve(folder.write("gone.csv", "session,item,time\n1,2,3\n"))],
  ["JSON lines", "gone.jsonl", () => Promise.resolve(folder.write("gone.jsonl", '{"session":1,"item":2,"time":3}\n'))],
  [
    "Parquet",
    "gone.parquet",
    async () => {
      const path = folder.path("gone.parquet");
      await runSql(`COPY (SELECT 1 AS session, 2 AS item, 3 AS time) TO '${path}' (FORMAT parquet)`);
      return path;
    },
  ],
])("a %s file that vanishes while it is read", async (_, name, write) => {
  const path = await write();
  // The note comes between the columns and the rows.
  const onNote = () => rmSync(path);
  const message = new RegExp(`${name} to be a readable file but there is no such file$`);
  await expectFailure(() => readEvents(path, { onNote }), "ERR_FILE", message);
});

test("what onNote throws comes as it is", async () => {
  const failure = new Error("enough");
  const onNote = () => {
    throw failure;
  };
  await expect(readEvents(folder.write("n.csv", "session,item,time\n1,2,3\n"), { onNote })).rejects.toBe(failure);
});
