/**
 * Benchmarks: `npm run bench -- train`, `… accuracy`, `… load`, `… data`. They measure, they do not judge; give figures from a
 * quiet machine. `… roofline` counts instead, and builds what it needs by itself; `… compare` puts two results of
 * `npm run gpu:check` side by side.
 */
import { setUp } from "../setup.mjs";
import { ExplainedError, runMain } from "../support/run.mjs";
import { benchAccuracy } from "./accuracy.mjs";
import { benchCompare } from "./compare.mjs";
import { benchData } from "./data.mjs";
import { benchLoad } from "./load.mjs";
import { benchRoofline } from "./roofline.mjs";
import { benchTrain } from "./train.mjs";

const benchmarks = {
  train: benchTrain,
  accuracy: benchAccuracy,
  load: benchLoad,
  data: benchData,
  roofline: benchRoofline,
  compare: benchCompare,
};

await runMain(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (benchmarks[name] === undefined) {
    throw new ExplainedError(
      `Expected a benchmark from ${Object.keys(benchmarks).join(", ")} but received ${name ?? "none"}`,
    );
  }
  if (name !== "roofline" && name !== "compare") await setUp(); // which need no addon
  await benchmarks[name](args);
});
