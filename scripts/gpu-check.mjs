/**
 * Everything that only a GPU can show: `npm run gpu:check`, with options of the program behind it (native/gpu_check):
 * `npm run gpu:check -- --help`. Builds the CUDA library and the program, and writes the result to --out, else to
 * scripts/bench/results; --roofline is the file there that was made for the GPU, if there is one. Exit status: 0 no stage
 * failed, 1 a stage failed, 2 wrong usage, 3 nothing was checked.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { buildCpp, setUp } from "./setup.mjs";
import { findNvcc } from "./support/cuda.mjs";
import { chosenGpu, needsLibrary, withDefaults } from "./support/gpu-check.mjs";
import { ExplainedError, root, runMain, tryRun } from "./support/run.mjs";

const results = join(root, "scripts/bench/results");

async function gpuOf(args) {
  const { status, output } = await tryRun("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"]);
  return chosenGpu(args, status === 0 ? output : "");
}

await runMain(async () => {
  const args = process.argv.slice(2);
  const env = {};
  if (needsLibrary(args, process.env)) {
    if (findNvcc() === undefined) {
      throw new ExplainedError(
        "Expected nvcc, to build the CUDA library, or GRU4REC_CUDA_LIBRARY to name one, but there is neither",
      );
    }
    env.GRU4REC_CUDA_LIBRARY = join(root, "build/Release/libgru4rec_cuda.so");
    await setUp({ buildTools: true, only: ["cuda"] });
  }
  await buildCpp("build/tests", [], ["gpu_check"]);
  mkdirSync(results, { recursive: true });
  const options = withDefaults(args, { results, gpu: await gpuOf(args), date: new Date(), exists: existsSync });
  const program = join(root, "build/tests/gpu_check");
  const { status } = await tryRun(program, options, { cwd: process.cwd(), env, show: true });
  process.exitCode = typeof status === "number" ? status : 1;
});
