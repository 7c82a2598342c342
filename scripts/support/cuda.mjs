import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { ExplainedError, run } from "./run.mjs";

/** Where CMakeLists.txt looks for nvcc, too. CUDACXX is a path, or a name on PATH. */
function places() {
  const { CUDACXX, CUDA_PATH, CUDA_HOME, PATH } = process.env;
  const path = (PATH ?? "").split(delimiter).filter(Boolean);
  if (CUDACXX) return basename(CUDACXX) === CUDACXX ? path.map((folder) => join(folder, CUDACXX)) : [CUDACXX];
  const toolkits = [CUDA_PATH, CUDA_HOME].filter(Boolean).map((folder) => join(folder, "bin"));
  return [...toolkits, ...path, "/usr/local/cuda/bin"].map((folder) => join(folder, "nvcc"));
}

/**
 * NVIDIA's compiler, which makes the CUDA back end.
 * @returns {string | undefined} undefined where it is not installed, or with GRU4REC_CUDA=OFF
 * @throws ExplainedError when GRU4REC_CUDA=ON or CUDACXX asks for it and it is not there.
 */
export function findNvcc() {
  const wanted = process.env.GRU4REC_CUDA ?? "AUTO";
  if (!["AUTO", "ON", "OFF"].includes(wanted)) {
    throw new ExplainedError(`Expected GRU4REC_CUDA to be AUTO, ON or OFF but received ${wanted}`);
  }
  if (wanted === "OFF" || (wanted === "AUTO" && process.platform !== "linux")) return undefined;
  const found = places().find((path) => existsSync(path));
  if (found === undefined && process.env.CUDACXX) {
    throw new ExplainedError(`Expected CUDACXX to name nvcc but found no ${process.env.CUDACXX}`);
  }
  if (found === undefined && wanted === "ON") {
    throw new ExplainedError(
      "Expected nvcc for GRU4REC_CUDA=ON but found none on PATH, in CUDA_PATH or /usr/local/cuda",
    );
  }
  return found;
}

/** "13.0.88" */
export function nvccVersion(nvcc) {
  const { stdout } = spawnSync(nvcc, ["--version"], { encoding: "utf8" });
  return /V(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? "unknown";
}

/** How CMakeLists.txt compiles kernels. */
export const kernelFlags = ["-std=c++17", "-O3", "-DNDEBUG", "--expt-relaxed-constexpr", "-Inative"];

/**
 * Builds libgru4rec_cuda.so.
 * @param {string} nvcc
 * @param {object} options
 * @param {string} options.folder - Of the build, in the project.
 * @param {string} options.targets - Value of GRU4REC_CUDA_TARGETS in CMakeLists.txt.
 * @param {number} options.jobs
 * @param {readonly string[]} [options.options] - More for CMake.
 */
export async function buildCudaLibrary(nvcc, { folder, targets, jobs, options = [] }) {
  const cuda = ["-DGRU4REC_CUDA=ON", `-DGRU4REC_CUDA_TARGETS=${targets}`, "-DGRU4REC_ADDON=OFF"];
  await run("cmake", ["-S", ".", "-B", folder, ...cuda, ...options], { env: { CUDACXX: nvcc } });
  await run("cmake", ["--build", folder, "--parallel", String(jobs), "--target", "gru4rec_cuda"]);
}
