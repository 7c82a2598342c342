import type { Config } from "../config";
import { Gru4RecError } from "../errors";
import type { NativeModel } from "./addon";
import { callNative } from "./call";
import { listDevices } from "./list-devices";

/**
 * What is to be said before a model is trained on a GPU without cuBLAS: the package's own products are slow, and are
 * float32 only. Nothing where the user does without on purpose.
 * @throws {@link Gru4RecError} `ERR_DEVICE` for a precision that takes cuBLAS.
 */
export function missingCublas(native: NativeModel, { precision, cublasPath }: Config): string[] {
  const device = callNative(() => native.device());
  if (!device.startsWith("cuda") || !device.includes("own products")) return [];
  const { reason = "" } = listDevices({ cublasPath }).cuda.cublas ?? {};
  if (precision === "tf32" || precision === "bf16")
    throw new Gru4RecError("ERR_DEVICE", `Expected cuBLAS on ${device} for precision ${precision}: ${reason}`);
  const unwanted = cublasPath === "none" || (cublasPath === "auto" && process.env.GRU4REC_CUBLAS === "none");
  return unwanted ? [] : [reason];
}
