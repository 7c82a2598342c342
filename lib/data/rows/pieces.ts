import { setImmediate } from "node:timers/promises";
import { aborted } from "../../errors";

/** Rows that take a few milliseconds at most. */
const PIECE = 1 << 19;

/**
 * Calls `work` for one stretch of `count` rows after the other, and lets others have their turn in between, so that a
 * signal is heard.
 * @throws {@link Gru4RecError} `ERR_ABORTED`
 */
export async function inPieces(
  count: number,
  signal: AbortSignal | undefined,
  work: (from: number, to: number) => void,
): Promise<void> {
  for (let from = 0; from < count; from += PIECE) {
    if (from > 0) await setImmediate();
    if (signal?.aborted) throw aborted(signal);
    work(from, Math.min(from + PIECE, count));
  }
}
