#!/usr/bin/env node
/** Stands in for node-gyp under prebuildify: takes the few arguments that prebuildify gives and calls cmake-js. */
import { availableParallelism } from "node:os";
import { packageScript, run, runMain } from "./support/run.mjs";

await runMain(async () => {
  const [command, ...options] = process.argv.slice(2);
  const arch = options.find((option) => option.startsWith("--arch="));
  const args = ["--config", options.includes("--debug") ? "Debug" : "Release", "--target", "gru4rec"];
  args.push("--CDGRU4REC_CUDA=OFF", "--parallel", String(availableParallelism()));
  if (arch !== undefined) args.push(arch);
  await run(...packageScript("cmake-js/bin/cmake-js", command, ...args), { show: true });
});
