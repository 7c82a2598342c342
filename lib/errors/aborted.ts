import { Gru4RecError } from "./gru4rec-error";

/** The error of a call that `signal` stopped. */
export function aborted(signal: AbortSignal): Gru4RecError {
  return new Gru4RecError("ERR_ABORTED", "The call was aborted", { cause: signal.reason });
}

/** What `promise` comes to, or `ERR_ABORTED` as soon as the signal comes. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(aborted(signal));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    void promise.then(resolve, reject).then(() => signal.removeEventListener("abort", abort));
  });
}
