import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExplainedError, root, tryRun } from "../support/run.mjs";
import { median, parseOptions, positiveInteger } from "./options.mjs";

const usage = `npm run bench -- load [options]
  --items N      default 2500000
  --layer N      hidden units; default 100
  --runs N       default 7
  --folder DIR   where the files go; default: the system's folder for temporary files
  --json         print JSON`;

/** "read" = into one new buffer, as big as the file; "read in pieces" = into the same memory again and again. */
const actions = ["read", "read in pieces", "load"];

async function measure(description) {
  const script = join(root, "scripts/bench/measure-load.mjs");
  const { status, output } = await tryRun(process.execPath, [script, JSON.stringify(description)]);
  if (status !== 0) throw new ExplainedError(output.trim());
  return JSON.parse(output.trim().split("\n").at(-1));
}

/** Medians of some runs of each action, which take turns; the file stays in the system's cache. */
async function compare(path, runs) {
  const results = Object.fromEntries(actions.map((action) => [action, []]));
  for (let run = 0; run < runs; ++run)
    for (const action of actions) results[action].push(await measure({ action, path }));
  return actions.map((action) => ({
    action,
    seconds: median(results[action].map(({ seconds }) => seconds)),
    bytes: median(results[action].map(({ bytes }) => bytes)),
  }));
}

function print({ ids, fileBytes, rows }) {
  console.log(`${ids} ids, file of ${(fileBytes / 2 ** 20).toFixed(1)} MiB\n`);
  console.log("                  seconds   / read       MiB");
  for (const { action, seconds, bytes } of rows) {
    const ratio = (seconds / rows[0].seconds).toFixed(2);
    const mebibytes = (bytes / 2 ** 20).toFixed(1);
    console.log(`${action.padEnd(14)}${seconds.toFixed(3).padStart(11)}${ratio.padStart(9)}${mebibytes.padStart(10)}`);
  }
  console.log("");
}

const string = { type: "string" };
const options = {
  items: { ...string, default: "2500000" },
  layer: { ...string, default: "100" },
  runs: { ...string, default: "7" },
  folder: { ...string, default: tmpdir() },
  json: { type: "boolean", default: false },
};

/** Time and memory of loading a model file, beside plain reads of it. */
export async function benchLoad(args) {
  const { items, layer, runs, folder, json } = parseOptions(args, options, usage);
  const made = mkdtempSync(join(folder, "gru4rec-bench-"));
  const sizes = { items: positiveInteger("items", items), layer: positiveInteger("layer", layer) };
  try {
    for (const ids of ["number", "text"]) {
      const path = join(made, ids);
      await measure({ action: "make", path, ids, ...sizes });
      const rows = await compare(path, positiveInteger("runs", runs));
      const result = { ids, fileBytes: statSync(path).size, rows };
      if (json) console.log(JSON.stringify(result));
      else print(result);
      rmSync(path);
    }
  } finally {
    rmSync(made, { recursive: true });
  }
}
