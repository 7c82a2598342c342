/**
 * Everything that only a GPU can show: `npm run gpu:check`, with options of the program behind it (native/gpu_check):
 * `npm run gpu:check -- --help`. Builds the CUDA library and the program, and writes the result to --out, else to
 * scripts/bench/results. Exit status: 0 no stage failed, 1 a stage failed, 2 wrong usage.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildCpp, setUp } from "./setup.mjs";
import { findNvcc } from "./support/cuda.mjs";
import { ExplainedError, root, runMain, tryRun } from "./support/run.mjs";

/** "nvidia-h100-80gb-hbm3", as nvidia-smi names the first GPU. */
async function gpuName() {
  const { status, output } = await tryRun("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"]);
  const [name] = status === 0 ? output.split("\n") : [""];
  return (
    name
      .toLowerCase()
      .match(/[a-z0-9]+/g)
      ?.join("-") ?? "gpu"
  );
}

async function defaultOut() {
  const folder = join(root, "scripts/bench/results");
  mkdirSync(folder, { recursive: true });
  return join(folder, `${new Date().toISOString().slice(0, 10)}-${await gpuName()}.json`);
}

await runMain(async () => {
  const args = process.argv.slice(2);
  const env = {};
  if (!args.includes("--library") && process.env.GRU4REC_CUDA_LIBRARY === undefined) {
    if (findNvcc() === undefined) {
      throw new ExplainedError(
        "Expected nvcc, to build the CUDA library, or GRU4REC_CUDA_LIBRARY to name one, but there is neither",
      );
    }
    env.GRU4REC_CUDA_LIBRARY = join(root, "build/Release/libgru4rec_cuda.so");
    await setUp({ buildTools: true, only: ["cuda"] });
  }
  await buildCpp("build/tests", [], ["gpu_check"]);
  if (!args.includes("--out") && !args.includes("--help")) args.push("--out", await defaultOut());
  const { status } = await tryRun(join(root, "build/tests/gpu_check"), args, { cwd: process.cwd(), env, show: true });
  process.exitCode = typeof status === "number" ? status : 1;
});
