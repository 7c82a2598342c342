import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { generate } from "../demo/generate.mjs";
import { ExplainedError, root, tryRun } from "../support/run.mjs";
import { defaultParameters, median, parseOptions, positiveInteger, positiveIntegers } from "./options.mjs";

const require = createRequire(import.meta.url);

const usage = `npm run bench -- train [options]
  --data FILE          click log (default: the one of the demo)
  --items N,M          instead: step time with so many items, on synthetic sessions
  --parameters STRING  the author's parameter string (default: ${defaultParameters})
  --threads N          default 2
  --epochs N           default 3
  --steps N            stop after about so many steps
  --json               print JSON`;

const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(1).padStart(8);
const rate = (value) => Math.round(value).toLocaleString("en-US").padStart(10);

async function measure(description) {
  const script = join(root, "scripts/bench/measure.mjs");
  const { status, output } = await tryRun(process.execPath, [script, JSON.stringify(description)]);
  if (status !== 0) throw new ExplainedError(output.trim());
  return JSON.parse(output.trim().split("\n").at(-1));
}

async function demoLog() {
  const path = join(root, "build/demo/clicks.tsv");
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) await generate(path);
  return path;
}

/** Bytes that training must hold, by what they are for. */
function accountedBytes({ config, events, sessions, items }) {
  const states = { sgd: 0, adagrad: 1, rmsprop: 1, adadelta: 2, adam: 2 }[config.adapt] + (config.momentum > 0 ? 1 : 0);
  const { countParameters } = require("../../dist/model/count-parameters");
  const parameters = 4 * countParameters(config, items);
  const sampleSteps = Math.max(1, Math.floor(config.sampleStore / Math.max(1, config.nSample)));
  return {
    parameters,
    "optimiser state": states * parameters,
    "weights of the last epoch": config.nEpochs > 1 ? parameters : 0,
    // As read: item, session and time. As trained on: items and offsets.
    events: events * 16 + events * 4 + sessions * 8,
    "sample store": 4 * sampleSteps * (config.nSample + 2 * config.batchSize),
  };
}

async function trainOnLog({ data, parameters, options, steps, json }) {
  const bare = await measure({});
  const result = await measure({ data: data ?? (await demoLog()), parameters, options, steps });
  const perSecond = median(result.epochs.map((epoch) => epoch.miniBatchesPerSecond));
  const accounted = result.config && accountedBytes(result);
  const beyondNode = result.peakBytes - bare.peakBytes;
  if (json) {
    console.log(
      JSON.stringify({
        ...result,
        medianMiniBatchesPerSecond: perSecond,
        bareNodeBytes: bare.peakBytes,
        accountedBytes: accounted,
      }),
    );
    return;
  }
  console.log(
    `${result.events} events, ${result.sessions} sessions, ${result.items} items${result.device ? `, ${result.device}` : ""}\n`,
  );
  console.log("epoch   steps  mini-batches/s    events/s      loss");
  for (const [i, epoch] of result.epochs.entries()) {
    console.log(
      `${String(i + 1).padStart(5)}${String(epoch.steps).padStart(8)}      ${rate(epoch.miniBatchesPerSecond)}  ${rate(epoch.eventsPerSecond)}${epoch.loss.toFixed(4).padStart(10)}`,
    );
  }
  console.log(` median             ${rate(perSecond)}\n`);
  console.log("MiB");
  console.log(`${mebibytes(beyondNode)}  peak beyond a bare Node (${mebibytes(bare.peakBytes).trim()})`);
  if (accounted === undefined) return;
  for (const [name, bytes] of Object.entries(accounted)) console.log(`${mebibytes(bytes)}  ${name}`);
  const rest = beyondNode - Object.values(accounted).reduce((a, b) => a + b, 0);
  console.log(`${mebibytes(rest)}  the rest`);
}

async function trainByItems({ items, parameters, options, steps, json }) {
  // All runs have the same events, so that only the number of items differs.
  const events = Math.max(400_000, 2 * Math.max(...items));
  // A small sample store spreads the drawing of samples evenly over the steps.
  const measured = { ...options, sampleStore: 200_000 };
  const rows = [];
  for (const count of items) {
    const { epochs } = await measure({ data: { items: count, events }, parameters, options: measured, steps });
    rows.push({ items: count, millisecondsPerStep: 1000 / median(epochs.map((epoch) => epoch.miniBatchesPerSecond)) });
  }
  if (json) {
    console.log(JSON.stringify(rows));
    return;
  }
  console.log("     items   ms/step   ratio");
  for (const { items: count, millisecondsPerStep } of rows) {
    const ratio = millisecondsPerStep / rows[0].millisecondsPerStep;
    console.log(
      `${String(count).padStart(10)}${millisecondsPerStep.toFixed(3).padStart(10)}${ratio.toFixed(2).padStart(8)}`,
    );
  }
}

const string = { type: "string" };
const trainOptions = {
  data: string,
  items: string,
  parameters: { ...string, default: defaultParameters },
  threads: { ...string, default: "2" },
  epochs: { ...string, default: "3" },
  steps: string,
  json: { type: "boolean", default: false },
};

/** Speed and memory of training. */
export async function benchTrain(args) {
  const { data, items, parameters, threads, epochs, steps, json } = parseOptions(args, trainOptions, usage);
  const common = {
    parameters,
    options: { threads: positiveInteger("threads", threads), nEpochs: positiveInteger("epochs", epochs) },
    steps: positiveInteger("steps", steps),
    json,
  };
  if (items === undefined) return trainOnLog({ ...common, data });
  return trainByItems({ ...common, items: positiveIntegers("items", items) });
}
