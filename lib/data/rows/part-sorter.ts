import { countUp } from "./count-up";
import type { EventColumns } from "./event-columns";
import { KeyNumbering } from "./key-numbering";
import { highOf, type Keys } from "./keys";
import { sortByKey } from "./sort-by-key";
import { sortByTime } from "./sort-times";

/** The sessions of some events, in ascending order of their keys. */
export interface Groups {
  /** [sessions] */
  readonly keys: Keys;
  /** [sessions + 1] where each session begins among the events, and their end */
  readonly offsets: Int32Array<ArrayBuffer>;
}

/** Sorts events by session and time where they lie; has memory for one part of a log's events after the other. */
export class PartSorter {
  readonly #numbering = new KeyNumbering();
  /** [events] number of the session's key */
  #numbers = new Int32Array(0);
  /** Copies, as the events themselves are written to. */
  #items = new Int32Array(0);
  #times = new Float64Array(0);

  constructor(private readonly signal: AbortSignal | undefined) {}

  /** @throws {@link Gru4RecError} `ERR_ABORTED` */
  async sort(events: EventColumns): Promise<Groups> {
    const { items, times } = events;
    this.#take(events);
    const { low, high } = this.#numbering.keys();
    const isNarrow = typeof events.keys.high === "number";
    const counts = this.#countEvents(items.length, low.length);
    const { rows: order, ...sorted } = await sortByKey(
      { rows: countUp(low.length), low, high: isNarrow ? events.keys.high : high },
      this.signal,
    );
    const offsets = new Int32Array(counts.length + 1);
    const next = counts;
    for (let group = 0; group < counts.length; ++group) {
      const number = order[group]!;
      offsets[group + 1] = offsets[group]! + counts[number]!;
      next[number] = offsets[group]!;
    }
    this.#putBack(events, next);
    for (let group = 0; group + 1 < offsets.length; ++group)
      sortByTime(items, times, offsets[group]!, offsets[group + 1]!);
    return { keys: sorted, offsets };
  }

  /** Copies the events and numbers their sessions. */
  #take({ keys, items, times }: EventColumns): void {
    if (this.#numbers.length < items.length) {
      this.#numbers = new Int32Array(items.length);
      this.#items = new Int32Array(items.length);
      this.#times = new Float64Array(items.length);
    }
    this.#items.set(items);
    this.#times.set(times);
    this.#numbering.clear();
    for (let i = 0; i < items.length; ++i) this.#numbers[i] = this.#numbering.numberOf(keys.low[i]!, highOf(keys, i));
  }

  /** [sessions] events of each, by its number */
  #countEvents(events: number, sessions: number): Int32Array {
    const counts = new Int32Array(sessions);
    for (let i = 0; i < events; ++i) ++counts[this.#numbers[i]!]!;
    return counts;
  }

  /** Puts the events back. @param next - [sessions] the place of the next event of each; used as work space. */
  #putBack({ items, times }: EventColumns, next: Int32Array): void {
    for (let i = 0; i < items.length; ++i) {
      const place = next[this.#numbers[i]!]!++;
      items[place] = this.#items[i]!;
      times[place] = this.#times[i]!;
    }
  }
}
