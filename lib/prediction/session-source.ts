import { expected, Gru4RecError } from "../errors";

/** Takes elements from a caller's iterable, a batch at a time, and closes it. */
export class SessionSource<T> {
  readonly #iterator: Iterator<T> | AsyncIterator<T>;
  readonly #isAsync: boolean;
  /** It has neither ended nor failed nor been closed. */
  #open = true;
  #waiting = false;

  /** @throws {@link Gru4RecError} `ERR_ARGUMENT` where `iterable` is none. */
  constructor(iterable: Iterable<T> | AsyncIterable<T>) {
    const given = iterable as Partial<Iterable<T> & AsyncIterable<T>> | null | undefined;
    this.#isAsync = typeof given?.[Symbol.asyncIterator] === "function";
    if (!this.#isAsync && typeof given?.[Symbol.iterator] !== "function") {
      const message = expected("sessions", "an iterable or async iterable of sessions", iterable);
      throw new Gru4RecError("ERR_ARGUMENT", message);
    }
    this.#iterator = this.#isAsync
      ? (iterable as AsyncIterable<T>)[Symbol.asyncIterator]()
      : (iterable as Iterable<T>)[Symbol.iterator]();
  }

  /** The next elements: `size`, or fewer (or none) at the end. Throws what the iterable throws. */
  async read(size: number): Promise<T[]> {
    const batch: T[] = [];
    try {
      while (this.#open && batch.length < size) {
        let result = this.#iterator.next();
        if (this.#isAsync) {
          this.#waiting = true;
          result = await result;
          this.#waiting = false;
        }
        const element = result as IteratorResult<T, unknown>;
        if (element.done === true) this.#open = false;
        else batch.push(element.value);
      }
    } catch (error) {
      this.#open = false;
      throw error;
    }
    return batch;
  }

  /**
   * Tells the iterable that no more is needed, unless it has ended, and waits until it has closed; not so while it is
   * asked for an element, which may never come.
   */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    const closed = Promise.resolve(this.#iterator.return?.());
    if (this.#waiting) closed.catch(() => undefined);
    else await closed;
  }
}
