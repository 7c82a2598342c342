import { loadAddon } from "../../lib/native/load";
import type { NativeDeviceOptions, NativeModel, NativeModelSpec } from "../../lib/native/addon";

/** The processor. */
export const CPU: NativeDeviceOptions = { device: "cpu", threads: 1, cudaLibrary: "", cublasPath: "" };

/** Runs `use` with a model on a device and frees it. */
export async function withModelOn<T>(
  options: NativeDeviceOptions,
  spec: NativeModelSpec,
  use: (model: NativeModel) => Promise<T>,
): Promise<T> {
  const model = new (loadAddon().Model)(spec, options);
  try {
    return await use(model);
  } finally {
    model.dispose();
  }
}

/** Runs `use` with a model on the CPU and frees it. */
export function withModel<T>(spec: NativeModelSpec, use: (model: NativeModel) => Promise<T>, threads = 1): Promise<T> {
  return withModelOn({ ...CPU, threads }, spec, use);
}

/** How to prepare training from the first step on. */
export const FROM_THE_START = { steps: 0, epochs: 0, keepOptimiser: false } as const;
