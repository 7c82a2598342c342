import { setImmediate } from "node:timers/promises";
import { aborted } from "../errors";

/** Milliseconds after which others have their turn. */
const LONGEST_TURN = 5;
/** Rows after which the clock is looked at: a fraction of a millisecond, as a rule. */
const STRETCH = 2048;

/** When this package's turn began. One for all calls, so that many short ones are no long turn together. */
let began = performance.now();

/**
 * Lets others have their turn where this one has been long, so that a signal is heard.
 * @throws {@link Gru4RecError} `ERR_ABORTED`
 */
export async function giveTurn(signal: AbortSignal | undefined): Promise<void> {
  if (performance.now() - began >= LONGEST_TURN) {
    await setImmediate();
    began = performance.now();
  }
  if (signal?.aborted) throw aborted(signal);
}

/**
 * Calls `work` for one stretch of `count` rows after the other, and lets others have their turn in between.
 * @throws {@link Gru4RecError} `ERR_ABORTED`
 */
export async function inTurns(
  count: number,
  signal: AbortSignal | undefined,
  work: (from: number, to: number) => void,
): Promise<void> {
  for (let from = 0; from < count; from += STRETCH) {
    if (performance.now() - began >= LONGEST_TURN) await giveTurn(signal);
    work(from, Math.min(from + STRETCH, count));
  }
  if (signal?.aborted) throw aborted(signal);
}

/**
 * As {@link inTurns}, for stretches of whole sessions, however many events these have.
 * @param offsets - [sessions + 1]; `work` may overwrite those of the sessions that it is through with.
 */
export async function inTurnsOfSessions(
  offsets: Int32Array,
  signal: AbortSignal | undefined,
  work: (from: number, to: number) => void,
): Promise<void> {
  let next = 0;
  await inTurns(offsets.at(-1)!, signal, (_, end) => {
    const first = next;
    while (next + 1 < offsets.length && offsets[next + 1]! <= end) ++next;
    if (next > first) work(first, next);
  });
}

/** A copy of numbers. */
export async function copyInTurns<A extends Int32Array | Float64Array>(
  numbers: A,
  signal: AbortSignal | undefined,
): Promise<A> {
  const copy = new (numbers.constructor as new (length: number) => A)(numbers.length);
  await inTurns(numbers.length, signal, (from, to) => copy.set(numbers.subarray(from, to), from));
  return copy;
}

/** Numbers that are sorted at once, by the library's sort. */
const SORTED_AT_ONCE = 2048;

/** Sorts numbers in place, as `sort` does; those that compare equal stay in their order. */
export async function sortInTurns(
  numbers: Int32Array,
  compare: (a: number, b: number) => number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const count = numbers.length;
  for (let from = 0; from < count; from += SORTED_AT_ONCE) {
    numbers.subarray(from, from + SORTED_AT_ONCE).sort(compare);
    await giveTurn(signal);
  }
  let source: Int32Array = numbers;
  let target: Int32Array = new Int32Array(count > SORTED_AT_ONCE ? count : 0);
  for (let width = SORTED_AT_ONCE; width < count; width *= 2) {
    // Merges pairs of sorted runs; `left` and `right` are where the runs that are being merged have got to.
    let [left, middle, right, end] = [0, 0, 0, 0];
    await inTurns(count, signal, (from, to) => {
      for (let place = from; place < to; ++place) {
        if (place === end) {
          left = place;
          right = middle = Math.min(place + width, count);
          end = Math.min(place + 2 * width, count);
        }
        const takeLeft = right === end || (left < middle && compare(source[left]!, source[right]!) <= 0);
        target[place] = takeLeft ? source[left++]! : source[right++]!;
      }
    });
    [source, target] = [target, source];
  }
  if (source !== numbers) numbers.set(source);
}
