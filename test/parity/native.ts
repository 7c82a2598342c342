import { loadAddon } from "../../lib/native/load";
import type { NativeModel, NativeModelSpec } from "../../lib/native/addon";

/** Runs `use` with a model on the CPU and frees it. */
export async function withModel<T>(
  spec: NativeModelSpec,
  use: (model: NativeModel) => Promise<T>,
  threads = 1,
): Promise<T> {
  const model = new (loadAddon().Model)(spec, { device: "cpu", threads });
  try {
    return await use(model);
  } finally {
    model.dispose();
  }
}

/** How to prepare training from the first step on. */
export const FROM_THE_START = { steps: 0, epochs: 0, keepOptimiser: false } as const;
