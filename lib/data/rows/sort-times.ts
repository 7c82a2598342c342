import { inTurns } from "../turns";
import { countUp } from "./count-up";
import type { Keys } from "./keys";
import { sortByKey } from "./sort-by-key";

/** Whether the low word of a double comes first in memory, as on all machines that this package has binaries for. */
const LOW_FIRST = new Uint32Array(Float64Array.of(1).buffer)[0] === 0;

/**
 * The places of times in ascending order; those of equal times stay in theirs.
 * @param times - From 0 on, as `Object.is` has it.
 */
export async function orderOfTimes(times: Float64Array, signal: AbortSignal | undefined): Promise<Int32Array> {
  return sortByTimes(countUp(times.length), times, signal);
}

/**
 * Rows in ascending order of their times; those of equal times stay in theirs.
 * @param rows - Used as work space.
 * @param times - [rows] from 0 on, as `Object.is` has it.
 */
export async function sortByTimes(
  rows: Int32Array<ArrayBuffer>,
  times: Float64Array,
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const keys = (await wholeKeys(times, signal)) ?? (await bitKeys(times, signal));
  return (await sortByKey({ rows, ...keys }, signal)).rows;
}

/** Keys of whole numbers of 32 bits, which are sorted twice as fast; undefined where there are others. */
async function wholeKeys(times: Float64Array, signal: AbortSignal | undefined): Promise<Keys | undefined> {
  const low = new Uint32Array(times.length);
  let whole = 0;
  await inTurns(times.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) {
      low[i] = times[i]!;
      if (low[i] === times[i]) ++whole;
    }
  });
  return whole === times.length ? { low, high: 0 } : undefined;
}

/** Keys of any times: the order of doubles from 0 on is that of their bits. */
async function bitKeys(times: Float64Array, signal: AbortSignal | undefined): Promise<Keys> {
  const words = new Uint32Array(times.buffer, times.byteOffset, 2 * times.length);
  const low = new Uint32Array(times.length);
  const high = new Uint32Array(times.length);
  await inTurns(times.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) {
      low[i] = words[2 * i + (LOW_FIRST ? 0 : 1)]!;
      high[i] = words[2 * i + (LOW_FIRST ? 1 : 0)]!;
    }
  });
  return { low, high };
}

/** Sessions of more events than this are sorted by the library's sort. */
const LONG_SESSION = 64;

/** Puts the events `first` to `end` in the order of their times; those of one time stay in theirs. */
export function sortByTime(items: Int32Array, times: Float64Array, first: number, end: number): void {
  if (end - first > LONG_SESSION) {
    const order = Int32Array.from({ length: end - first }, (_, i) => first + i);
    order.sort((a, b) => times[a]! - times[b]! || a - b);
    items.set(order.map((event) => items[event]!), first); // prettier-ignore
    times.set(Float64Array.from(order, (event) => times[event]!), first); // prettier-ignore
    return;
  }
  for (let event = first + 1; event < end; ++event) {
    const time = times[event]!;
    if (times[event - 1]! <= time) continue;
    const item = items[event]!;
    let place = event;
    do {
      items[place] = items[place - 1]!;
      times[place] = times[place - 1]!;
      --place;
    } while (place > first && times[place - 1]! > time);
    items[place] = item;
    times[place] = time;
  }
}
