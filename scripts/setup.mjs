/**
 * Makes a fresh clone ready: dependencies, native addon, CUDA library where nvcc is, TypeScript. Does only what is stale.
 * Needs nothing installed but Node, a C++17 compiler and CMake, so it imports Node's own modules only.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { buildCudaLibrary, findNvcc, nvccVersion } from "./support/cuda.mjs";
import { isMain, packageScript, root, run, runMain } from "./support/run.mjs";
import { digest, isStale, writeStamp } from "./support/stamp.mjs";
import { checkBuildTools, checkNode } from "./support/tools.mjs";

/** Build processes that run side by side. */
export const buildJobs = availableParallelism();

/** npm as it runs this script, or the one on the path. */
export function npm(...args) {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js")) return [process.execPath, [script, ...args]];
  return process.platform === "win32" ? ["cmd", ["/c", "npm", ...args]] : ["npm", args];
}

/** CI builds without warnings; elsewhere another compiler's new warning must not stop anybody. */
export const warningsAreErrors = process.env.CI === "true" ? "ON" : "OFF";

/** CMake refuses a build folder that was made for another place; a clone that was moved starts anew. */
export function discardForeignBuild(folder) {
  const cache = join(root, folder, "CMakeCache.txt");
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, "utf8"))?.[1];
  if (home === undefined || resolve(home) !== resolve(root)) rmSync(join(root, folder), { recursive: true });
}

/** GPUs that the CUDA library is compiled for; empty = the one that is here. */
export const everydayTargets = process.env.GRU4REC_CUDA_TARGETS ?? "";

const steps = {
  dependencies: {
    name: "dependencies (npm ci)",
    stamp: "node_modules/.gru4rec-stamp",
    inputs: () => ({ paths: ["package-lock.json"] }),
    run: () => run(...npm("ci", "--no-audit", "--no-fund")),
  },
  addon: {
    name: "native addon (cmake-js)",
    stamp: "build/.addon-stamp",
    output: "build/Release/gru4rec.node",
    needsBuildTools: true,
    inputs: () => ({
      paths: ["native", "CMakeLists.txt", "package-lock.json"],
      skip: ["native/test", "native/emulator", "native/gpu_check", "native/backends/cuda"],
      values: [process.platform, process.arch, process.env.CXX ?? "", process.env.CXXFLAGS ?? "", warningsAreErrors],
    }),
    run: () => {
      discardForeignBuild("build");
      const options = ["--config", "Release", "--target", "gru4rec", "--parallel", String(buildJobs)];
      options.push(`--CDGRU4REC_WERROR=${warningsAreErrors}`, "--CDGRU4REC_CUDA=OFF");
      return run(...packageScript("cmake-js/bin/cmake-js", "build", ...options));
    },
  },
  cuda: {
    name: "CUDA library (nvcc)",
    stamp: "build/.cuda-stamp",
    output: "build/Release/libgru4rec_cuda.so",
    needsBuildTools: true,
    hint: "GRU4REC_CUDA=OFF builds without it",
    isWanted: () => findNvcc() !== undefined,
    inputs: () => ({
      paths: [
        "native/core",
        "native/backend",
        "native/backends/cuda",
        "native/backends/cuda_library",
        "CMakeLists.txt",
      ],
      values: [findNvcc(), nvccVersion(findNvcc()), everydayTargets, process.env.CXX ?? "", warningsAreErrors],
    }),
    run: () => {
      discardForeignBuild("build/cuda");
      const output = `-DCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(root, "build/Release")}`;
      const options = [output, `-DGRU4REC_WERROR=${warningsAreErrors}`];
      return buildCudaLibrary(findNvcc(), { folder: "build/cuda", targets: everydayTargets, jobs: buildJobs, options });
    },
  },
  typescript: {
    name: "TypeScript (tsc)",
    stamp: "build/.typescript-stamp",
    output: "dist/index.js",
    inputs: () => ({ paths: ["lib", "tsconfig.json", "package-lock.json", "scripts/document-types.mjs"] }),
    run: async () => {
      rmSync(join(root, "dist"), { recursive: true, force: true });
      await run(...packageScript("typescript/bin/tsc", "-p", "."));
      await run(process.execPath, ["scripts/document-types.mjs"]);
    },
  },
};

/**
 * Brings everything up to date.
 * @param {object} [options]
 * @param {boolean} [options.buildTools] - Ask for compiler and CMake even where the addon is up to date.
 * @param {readonly (keyof typeof steps)[]} [options.only] - Default: all steps.
 */
export async function setUp({ buildTools = false, only = Object.keys(steps) } = {}) {
  checkNode();
  for (const { isWanted, output, stamp } of only.map((name) => steps[name])) {
    if (isWanted?.() === false) for (const file of [output, stamp]) rmSync(join(root, file), { force: true });
  }
  const stale = only
    .filter((name) => steps[name].isWanted?.() ?? true)
    .map((name) => ({ ...steps[name], digest: digest(steps[name].inputs()) }))
    .filter((step) => isStale(step.stamp, step.digest) || (step.output && !existsSync(join(root, step.output))));
  if (buildTools || stale.some((step) => step.needsBuildTools)) await checkBuildTools();
  for (const step of stale) {
    process.stderr.write(`set-up: ${step.name} … `);
    const start = performance.now();
    try {
      await step.run();
    } catch (error) {
      process.stderr.write(`failed${step.hint === undefined ? "" : `; ${step.hint}`}\n`);
      throw error;
    }
    writeStamp(step.stamp, step.digest);
    process.stderr.write(`${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  }
}

/** Builds the C++ tests, or some of them, in `folder`. */
export async function buildCpp(folder, options, programs = ["all"]) {
  discardForeignBuild(folder);
  const common = [
    "-DGRU4REC_ADDON=OFF",
    "-DGRU4REC_CUDA=OFF",
    "-DGRU4REC_TESTS=ON",
    `-DGRU4REC_WERROR=${warningsAreErrors}`,
  ];
  await run("cmake", ["-S", ".", "-B", folder, ...common, ...options]);
  await run("cmake", ["--build", folder, "--parallel", String(buildJobs), "--target", ...programs]);
}

if (isMain(import.meta.url)) await runMain(setUp);
