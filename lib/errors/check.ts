import { expected } from "./expected";
import { Gru4RecError } from "./gru4rec-error";

/** @throws {@link Gru4RecError} `ERR_ARGUMENT` where `value` is no integer from `minimum` to `maximum`. */
export function checkInteger(name: string, value: unknown, minimum: number, maximum: number): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum) return;
  throw new Gru4RecError("ERR_ARGUMENT", expected(name, `an integer from ${minimum} to ${maximum}`, value));
}

/** @throws {@link Gru4RecError} `ERR_ARGUMENT` where the options of a call are no object. */
export function checkOptions(options: unknown): void {
  if (typeof options === "object" && options !== null && !Array.isArray(options)) return;
  throw new Gru4RecError("ERR_ARGUMENT", expected("options", "an object", options));
}
