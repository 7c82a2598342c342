import { highOf, type Keys } from "./keys";
import { inTurns } from "../turns";

/** Rows and their keys. */
export interface KeyedRows extends Keys {
  /** [rows] */
  readonly rows: Int32Array<ArrayBuffer>;
}

const DIGIT_BITS = 8;
const DIGITS = 1 << DIGIT_BITS;
/** Digits of a word. */
const WORD_DIGITS = 4;

/**
 * Sorts rows by their keys, digit by digit, the last one first. They carry their keys along, so that memory is read in its
 * order.
 * @param keyed - Used as work space.
 * @returns Rows in ascending order of their keys; those of equal keys stay in their order.
 * @throws {@link Gru4RecError} `ERR_ABORTED`
 */
export async function sortByKey(keyed: KeyedRows, signal: AbortSignal | undefined): Promise<KeyedRows> {
  const count = keyed.rows.length;
  let from = keyed;
  let to: KeyedRows = {
    rows: new Int32Array(count),
    low: new Uint32Array(count),
    high: typeof keyed.high === "number" ? keyed.high : new Uint32Array(count),
  };
  for (const word of ["low", "high"] as const) {
    if (typeof from[word] === "number") continue;
    const digits = await countDigits(from[word], signal);
    for (let digit = 0; digit < WORD_DIGITS; ++digit) {
      const next = startsOf(digits.subarray(digit * DIGITS, (digit + 1) * DIGITS));
      if (next === undefined) continue;
      const [source, target] = [from, to];
      const column = source[word] as Uint32Array;
      const shift = digit * DIGIT_BITS;
      await inTurns(count, signal, (first, end) => {
        for (let i = first; i < end; ++i) {
          const place = next[(column[i]! >>> shift) & (DIGITS - 1)]!++;
          target.rows[place] = source.rows[i]!;
          target.low[place] = source.low[i]!;
          if (typeof target.high !== "number") target.high[place] = highOf(source, i);
        }
      });
      [from, to] = [target, source];
    }
  }
  return from;
}

/** [WORD_DIGITS, DIGITS] how many values have each digit in each place, the last place first */
async function countDigits(values: Uint32Array, signal: AbortSignal | undefined): Promise<Int32Array> {
  const counts = new Int32Array(WORD_DIGITS * DIGITS);
  await inTurns(values.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) {
      const value = values[i]!;
      ++counts[value & (DIGITS - 1)]!;
      ++counts[DIGITS + ((value >>> DIGIT_BITS) & (DIGITS - 1))]!;
      ++counts[2 * DIGITS + ((value >>> (2 * DIGIT_BITS)) & (DIGITS - 1))]!;
      ++counts[3 * DIGITS + (value >>> (3 * DIGIT_BITS))]!;
    }
  });
  return counts;
}

/** [DIGITS] how many values have a lower digit; undefined where all have the same. */
function startsOf(counts: Int32Array): Int32Array | undefined {
  if (counts.filter((count) => count > 0).length <= 1) return undefined;
  let start = 0;
  return counts.map((count) => (start += count) - count);
}
