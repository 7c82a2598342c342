/**
 * Benchmarks: `npm run bench -- train`, `npm run bench -- accuracy`. They measure, they do not judge; give figures from a quiet machine.
 */
import { setUp } from "../setup.mjs";
import { ExplainedError, runMain } from "../support/run.mjs";
import { benchAccuracy } from "./accuracy.mjs";
import { benchTrain } from "./train.mjs";

const benchmarks = { train: benchTrain, accuracy: benchAccuracy };

await runMain(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (benchmarks[name] === undefined) {
    throw new ExplainedError(
      `Expected a benchmark from ${Object.keys(benchmarks).join(", ")} but received ${name ?? "none"}`,
    );
  }
  await setUp();
  await benchmarks[name](args);
});
