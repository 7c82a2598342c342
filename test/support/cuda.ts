import { existsSync } from "node:fs";
import { join } from "node:path";
import type { NativeDeviceOptions } from "../../lib/native/addon";

const ROOT = join(__dirname, "..", "..");
const EMULATED = join(ROOT, "build", "tests", "emulated");

/** The CUDA back end as the C++ tests build it, on an emulated GPU. */
export const EMULATED_LIBRARY = join(EMULATED, "libgru4rec_cuda.so");
export const EMULATED_CUBLAS = join(EMULATED, "libcublas.so.13");
/** The CUDA back end for real GPUs, where nvcc built it. */
export const REAL_LIBRARY = join(ROOT, "build", "Release", "libgru4rec_cuda.so");

/** The emulated GPU, for models of the addon. */
export const EMULATED_GPU: NativeDeviceOptions = {
  device: "cuda",
  threads: 1,
  cudaLibrary: EMULATED_LIBRARY,
  cublasPath: EMULATED_CUBLAS,
};

/** Tests that need the emulated GPU are skipped and counted where `npm test -- cpp` did not build it. */
export const describeEmulated = existsSync(EMULATED_LIBRARY) ? describe : describe.skip;
/** Tests that need the library for real GPUs are skipped and counted where there is no nvcc. */
export const describeReal = existsSync(REAL_LIBRARY) ? describe : describe.skip;

/** Environment of a process that computes on the emulated GPU; `emulator` are GRU4REC_EMULATOR_* of the emulator. */
export function emulatedEnvironment(emulator: Readonly<Record<string, string | number>> = {}): Record<string, string> {
  const options = Object.entries(emulator).map(([name, value]) => [`GRU4REC_EMULATOR_${name}`, String(value)]);
  return {
    GRU4REC_CUDA_LIBRARY: EMULATED_LIBRARY,
    GRU4REC_CUBLAS: EMULATED_CUBLAS,
    ...(Object.fromEntries(options) as Record<string, string>),
  };
}
