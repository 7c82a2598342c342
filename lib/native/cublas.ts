import type { Config } from "../config";
import { Gru4RecError } from "../errors";
import type { NativeModel } from "./addon";
import { callNative } from "./call";

/**
 * What is to be said before a model is trained on a GPU without cuBLAS: the package's own products are slow, and are
 * float32 only. Nothing where the user does without on purpose.
 * @throws {@link Gru4RecError} `ERR_DEVICE` for a precision that takes cuBLAS.
 */
export function missingCublas(native: NativeModel, { precision }: Config): string[] {
  const { problem, wanted } = callNative(() => native.missing());
  if (problem === "") return [];
  if (precision === "tf32" || precision === "bf16") {
    const device = callNative(() => native.device());
    throw new Gru4RecError("ERR_DEVICE", `Expected cuBLAS on ${device} for precision ${precision}: ${problem}`);
  }
  return wanted ? [problem] : [];
}
