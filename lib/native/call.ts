import { aborted, ERROR_CODES, Gru4RecError, reason } from "../errors";
import type { NativeCancellation } from "./addon";
import { loadAddon } from "./load";

/** An error of the addon as ours; others, such as those of the user's callbacks, stay what they are. */
function translate(error: unknown): unknown {
  const code = ERROR_CODES.find((known) => known === (error as { code?: unknown } | null)?.code);
  if (error instanceof Gru4RecError || code === undefined) return error;
  return new Gru4RecError(code, reason(error), { cause: error });
}

/** Runs a synchronous method of the addon. @throws {@link Gru4RecError} in place of the addon's errors. */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translate(error);
  }
}

/**
 * Runs an asynchronous method of the addon, which `signal` stops.
 * @throws {@link Gru4RecError} in place of the addon's errors; `ERR_ABORTED` when the signal came, before or meanwhile;
 * what a callback of the user's threw.
 */
export async function runNative<T>(
  signal: AbortSignal | undefined,
  call: (cancellation: NativeCancellation | undefined) => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw aborted(signal);
  const cancellation = signal && new (loadAddon().Cancellation)();
  const cancel = () => cancellation!.cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  try {
    return await call(cancellation);
  } catch (error) {
    throw translate(error);
  } finally {
    signal?.removeEventListener("abort", cancel);
  }
}
