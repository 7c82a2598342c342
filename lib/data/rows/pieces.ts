import { setImmediate } from "node:timers/promises";
import { aborted } from "../../errors";

/** Rows that take a few milliseconds at most. */
export const PIECE = 1 << 19;

/** Lets others have their turn between stretches of long work, so that a signal is heard. */
export class Turns {
  /** Rows worked on since others had their turn. */
  #rows = 0;

  constructor(private readonly signal: AbortSignal | undefined) {}

  /**
   * To be awaited before work on `rows` rows, {@link PIECE} at most where that can be had.
   * @throws {@link Gru4RecError} `ERR_ABORTED`
   */
  async before(rows: number): Promise<void> {
    if (this.#rows > 0 && this.#rows + rows > PIECE) {
      await setImmediate();
      this.#rows = 0;
    }
    if (this.signal?.aborted) throw aborted(this.signal);
    this.#rows += rows;
  }
}

/**
 * Calls `work` for one stretch of `count` rows after the other, and lets others have their turn in between.
 * @throws {@link Gru4RecError} `ERR_ABORTED`
 */
export async function inPieces(
  count: number,
  signal: AbortSignal | undefined,
  work: (from: number, to: number) => void,
): Promise<void> {
  const turns = new Turns(signal);
  for (let from = 0; from < count; from += PIECE) {
    const to = Math.min(from + PIECE, count);
    await turns.before(to - from);
    work(from, to);
  }
}
