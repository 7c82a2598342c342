/**
 * Benchmarks: `npm run bench -- train`, `… accuracy`, `… load`. They measure, they do not judge; give figures from a
 * quiet machine. `… compare` puts two results of `npm run gpu:check` side by side.
 */
import { setUp } from "../setup.mjs";
import { ExplainedError, runMain } from "../support/run.mjs";
import { benchAccuracy } from "./accuracy.mjs";
import { benchCompare } from "./compare.mjs";
import { benchLoad } from "./load.mjs";
import { benchTrain } from "./train.mjs";

const benchmarks = { train: benchTrain, accuracy: benchAccuracy, load: benchLoad, compare: benchCompare };

await runMain(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (benchmarks[name] === undefined) {
    throw new ExplainedError(
      `Expected a benchmark from ${Object.keys(benchmarks).join(", ")} but received ${name ?? "none"}`,
    );
  }
  if (name !== "compare") await setUp(); // which runs nothing of what is built
  await benchmarks[name](args);
});
