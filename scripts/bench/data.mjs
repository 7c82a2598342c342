import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { ExplainedError, root, tryRun } from "../support/run.mjs";
import { plotLines } from "./line-plot.mjs";
import { median, parseOptions, positiveInteger, positiveIntegers } from "./options.mjs";

const usage = `npm run bench -- data [options]
  --events A,B,C  sizes of the logs; default 1000000,3300000,10000000,33000000
  --runs N        default 3
  --folder DIR    where the logs go, 80 bytes an event; default: the system's folder for temporary files
  --python NAME   the Python that has pandas; default python3
  --write         write the table, the plot and the JSON into docs/ and scripts/bench/results/
  --json          print JSON`;

const string = { type: "string" };
const options = {
  events: { ...string, default: "1000000,3300000,10000000,33000000" },
  runs: { ...string, default: "3" },
  folder: { ...string, default: tmpdir() },
  python: { ...string, default: "python3" },
  write: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
};

/** What is read, by what. pandas does what the author's tool does with a TSV file. */
const readers = [
  { name: "TSV", file: "clicks.tsv" },
  { name: "Parquet", file: "clicks.parquet" },
  { name: "prepared (.g4r)", file: "clicks.g4r" },
  { name: "TSV by pandas", file: "clicks.tsv", script: "pandas-steps.py" },
];

const nodeSteps = join(root, "scripts/bench/measure-data.mjs");

async function measure(command, args) {
  const { status, output } = await tryRun(command, args);
  if (status !== 0) throw new ExplainedError(output.trim());
  return JSON.parse(output.trim().split("\n").at(-1));
}

async function hasPandas(python) {
  return (await tryRun(python, ["-c", "import pandas"])).status === 0;
}

/** Medians of some runs of each reader, which take turns; the files stay in the system's cache. */
async function measureSize(size, { folder, runs, present, python }) {
  const made = mkdtempSync(join(folder, "gru4rec-bench-"));
  try {
    const { events, sessions, items } = await measure(process.execPath, [nodeSteps, "make", made, String(size)]);
    const results = new Map(present.map((reader) => [reader, []]));
    for (let run = 0; run < runs; ++run) {
      for (const reader of present) {
        const path = join(made, reader.file);
        const result = reader.script
          ? await measure(python, [join(root, "scripts/bench", reader.script), path])
          : await measure(process.execPath, [nodeSteps, "read", path]);
        if (result.events !== events || result.sessions !== sessions || result.items !== items)
          throw new ExplainedError(`${reader.name}: expected ${events} events, ${sessions} sessions and ${items} items but received ${result.events}, ${result.sessions} and ${result.items}`); // prettier-ignore
        results.get(reader).push(result);
      }
    }
    const rows = present.map((reader) => ({
      reader: reader.name,
      seconds: median(results.get(reader).map(({ seconds }) => seconds)),
      peakBytes: median(results.get(reader).map(({ peakBytes }) => peakBytes)),
    }));
    return { events, sessions, items, rows };
  } finally {
    rmSync(made, { recursive: true });
  }
}

function tableOf(sizes) {
  const cells = sizes.flatMap(({ events, sessions, rows }) => {
    const pandas = rows.find(({ reader }) => reader.endsWith("pandas"))?.seconds;
    return rows.map(({ reader, seconds, peakBytes }) => [
      events.toLocaleString("en"),
      sessions.toLocaleString("en"),
      reader,
      seconds.toFixed(2),
      (seconds / events * 1e6).toFixed(2),
      pandas === undefined ? "" : (pandas / seconds).toFixed(1),
      (peakBytes / 1e9).toFixed(2),
    ]); // prettier-ignore
  });
  const head = ["events", "sessions", "read", "seconds", "µs an event", "times as fast as pandas", "peak GB"];
  return [head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

const begin = "<!-- bench data -->";
const end = "<!-- /bench data -->";

function writeDocs(result) {
  const page = join(root, "docs/data.md");
  const text = readFileSync(page, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new ExplainedError(`Expected ${begin} … ${end} in docs/data.md but they are missing`);
  const place = `${result.date}, ${result.cpu}, ${result.cores} cores, medians of ${result.runs} runs.`;
  writeFileSync(page, `${text.slice(0, from)}${begin}\n${place}\n\n${tableOf(result.sizes)}\n${text.slice(to)}`);
  const lines = readers.map(({ name }) => ({
    name,
    points: result.sizes.flatMap(({ events, rows }) =>
      rows.filter(({ reader }) => reader === name).map(({ seconds }) => [events, seconds]),
    ),
  }));
  writeFileSync(
    join(root, "docs/data.svg"),
    plotLines(
      lines.filter(({ points }) => points.length > 0),
      { x: "events", y: "seconds" },
    ),
  );
  writeFileSync(join(root, "scripts/bench/results/data.json"), `${JSON.stringify(result, undefined, 2)}\n`);
}

/** Time and memory until a log is ready to train on, beside pandas. */
export async function benchData(args) {
  const { events, runs: count, folder, python, write, json } = parseOptions(args, options, usage);
  if (!existsSync(folder)) throw new ExplainedError(`Expected --folder to be a folder but there is no ${folder}`);
  const runs = positiveInteger("runs", count);
  const pandas = await hasPandas(python);
  if (!pandas) console.error(`note: ${python} has no pandas, so that nothing is measured beside it`);
  const present = readers.filter(({ script }) => pandas || script === undefined);
  const sizes = [];
  for (const size of positiveIntegers("events", events))
    sizes.push(await measureSize(size, { folder, runs, present, python }));
  const date = new Date().toISOString().slice(0, 10);
  const result = { date, cpu: cpus()[0].model, cores: cpus().length, runs, sizes };
  if (write) writeDocs(result);
  console.log(json ? JSON.stringify(result) : tableOf(sizes));
}
