import { eventsBetween, type EventColumns } from "../rows/event-columns";

/** Rows of a block: many beside those that come at a time. */
const ROWS = 1 << 19;

/** A block of events that are filled in one after the other. */
export interface OpenBlock extends EventColumns {
  readonly keys: { readonly low: Uint32Array<ArrayBuffer>; readonly high: Uint32Array<ArrayBuffer> };
}

/** Events of a number that nobody knows yet, block by block. */
export class RowBlocks {
  readonly #full: EventColumns[] = [];
  #last = makeBlock();
  /** Rows in the last block. */
  #used = 0;

  /**
   * Makes room for `rows` more rows, a few thousand, in one block.
   * @returns The block, and the place of the first row in it.
   */
  add(rows: number): { readonly block: OpenBlock; readonly first: number } {
    if (this.#used + rows > ROWS) {
      this.#full.push(eventsBetween(this.#last, 0, this.#used));
      this.#last = makeBlock();
      this.#used = 0;
    }
    const first = this.#used;
    this.#used += rows;
    return { block: this.#last, first };
  }

  /** All blocks, filled to their ends. */
  all(): readonly EventColumns[] {
    return [...this.#full, eventsBetween(this.#last, 0, this.#used)];
  }
}

/** What is not filled takes no memory of the machine. */
function makeBlock(): OpenBlock {
  return {
    keys: { low: new Uint32Array(ROWS), high: new Uint32Array(ROWS) },
    items: new Int32Array(ROWS),
    times: new Float64Array(ROWS),
  };
}
