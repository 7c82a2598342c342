/**
 * One step of the benchmark of data in a process of its own, whose memory nothing has touched before; prints JSON.
 *
 *   make FOLDER EVENTS    a log as clicks.tsv, clicks.parquet and clicks.g4r, of Yoochoose's shape, in no order
 *   read FILE             until it is ready to train on
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { generate } from "../demo/generate.mjs";
import { peakBytes } from "../support/memory.mjs";
import { ExplainedError, runMain } from "../support/run.mjs";

const require = createRequire(import.meta.url);
const { prepareTraining, readEvents, trainingOrder, writeLog } = require("../../dist/data");

/** As of Yoochoose's clicks: 33 million events in 9 million sessions of 52,000 items. */
const shape = { items: 52_000, meanLength: 3.67, order: "none" };

async function make(folder, events) {
  const { DuckDBInstance } = require("@duckdb/node-api");
  const tsv = join(folder, "clicks.tsv");
  await generate(tsv, { ...shape, events: Number(events) });
  const connection = await (await DuckDBInstance.create(":memory:", { memory_limit: "1GB", temp_directory: folder })).connect(); // prettier-ignore
  await connection.run(`COPY (FROM read_csv('${tsv}', delim='\t')) TO '${join(folder, "clicks.parquet")}'`);
  const log = await readEvents(tsv);
  await writeLog(log, join(folder, "clicks.g4r"));
  return { events: log.items.length, sessions: log.startTimes.length, items: log.itemIds.length };
}

async function read(path) {
  const start = performance.now();
  const { vocabulary, sessions, startTimes } = prepareTraining(await readEvents(path));
  await trainingOrder({ sessions, startTimes }, true);
  const seconds = (performance.now() - start) / 1000;
  const counts = { events: sessions.items.length, sessions: startTimes.length, items: vocabulary.size };
  return { seconds, peakBytes: peakBytes(), ...counts };
}

const steps = { make, read };

await runMain(async () => {
  const [step, ...args] = process.argv.slice(2);
  if (steps[step] === undefined) throw new ExplainedError(`Expected make or read but received ${step ?? "none"}`);
  console.log(JSON.stringify(await steps[step](...args)));
});
