import type { Config } from "../config";
import { Gru4RecError } from "../errors";
import type { NativeDeviceOptions } from "./addon";
import { findCudaLibrary, missingLibrary } from "./cuda-library";

/** The hyperparameters that say where to compute. */
export type Place = Pick<Config, "device" | "threads" | "cublasPath">;

/** What the addon needs to know of a place. */
export function deviceOptions({ device, threads, cublasPath }: Place): NativeDeviceOptions {
  const cudaLibrary = findCudaLibrary().path ?? "";
  return { device, threads, cudaLibrary, cublasPath: cublasPath === "auto" ? "" : cublasPath };
}

/** @throws {@link Gru4RecError} `ERR_DEVICE` for a CUDA device where there is no library for it. */
export function expectLibrary({ device }: Place): void {
  const library = findCudaLibrary();
  if (!device.startsWith("cuda") || library.path !== undefined) return;
  throw new Gru4RecError("ERR_DEVICE", missingLibrary(library));
}
