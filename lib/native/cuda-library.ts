import { existsSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE_ROOT } from "./package";

const NAME = "libgru4rec_cuda.so";

/** Where the CUDA back end is, which is a library of its own. */
export interface CudaLibrary {
  /** Undefined where there is none. */
  readonly path: string | undefined;
  /** Where it was looked for, for messages. */
  readonly searched: string;
}

/**
 * The CUDA back end's library: the one that the environment variable GRU4REC_CUDA_LIBRARY names, else the one that was
 * built beside the addon, else the one of this platform in prebuilds/.
 */
export function findCudaLibrary(): CudaLibrary {
  const named = process.env.GRU4REC_CUDA_LIBRARY;
  if (named !== undefined && named !== "") return { path: named, searched: `${named} (GRU4REC_CUDA_LIBRARY)` };
  const places = [
    join(PACKAGE_ROOT, "build", "Release", NAME),
    join(PACKAGE_ROOT, "prebuilds", `${process.platform}-${process.arch}`, NAME),
  ];
  return { path: places.find((place) => existsSync(place)), searched: places.join(" or ") };
}

/** That there is no library, where it was looked for, and what to do; for messages. */
export function missingLibrary({ searched }: CudaLibrary): string {
  return (
    `Expected the CUDA back end's library as ${searched} but found none; where nvcc is installed, ` +
    `\`cmake -S ${PACKAGE_ROOT} -B DIR -DGRU4REC_ADDON=OFF -DGRU4REC_CUDA=ON && cmake --build DIR --target gru4rec_cuda\` ` +
    "makes it, and GRU4REC_CUDA_LIBRARY=DIR/libgru4rec_cuda.so names it"
  );
}
