import { countUp } from "./count-up";
import type { Keys } from "./keys";
import { inPieces } from "./pieces";

/** The rows of a log, group by group; those of group g are rows[offsets[g] … offsets[g + 1]), in the order of the log. */
export interface GroupedRows {
  /** [rows] */
  readonly rows: Int32Array;
  /** [groups + 1], ascending */
  readonly offsets: Int32Array;
}

/** Rows of one key a group, in ascending order of the keys. */
export interface RowsByKey extends GroupedRows {
  /** [groups] */
  readonly keys: Keys;
}

const DIGITS = 256;

/**
 * Groups rows of equal keys, in the order of the keys. They are sorted digit by digit, the last one first, and carry
 * their keys along, so that memory is read in its order.
 * @param keys - [rows]; used as work space.
 */
export async function groupByKey(keys: Keys, signal: AbortSignal | undefined): Promise<RowsByKey> {
  const count = keys.low.length;
  let from = { rows: countUp(count), ...keys };
  let to = {
    rows: new Int32Array(count),
    low: new Uint32Array(count),
    high: keys.high && new Uint32Array(count),
  };
  for (const word of keys.high === undefined ? (["low"] as const) : (["low", "high"] as const)) {
    for (let shift = 0; shift < 32; shift += 8) {
      const next = await digitStarts(from[word]!, shift, signal);
      if (next === undefined) continue;
      const [source, target] = [from, to];
      const column = source[word]!;
      await inPieces(count, signal, (first, end) => {
        for (let i = first; i < end; ++i) {
          const place = next[(column[i]! >>> shift) & (DIGITS - 1)]!++;
          target.rows[place] = source.rows[i]!;
          target.low[place] = source.low[i]!;
          if (target.high !== undefined) target.high[place] = source.high![i]!;
        }
      });
      [from, to] = [target, source];
    }
  }
  return groupSorted(from, signal);
}

/** [digits] how many values have a lower digit; undefined where all have the same. */
async function digitStarts(
  values: Uint32Array,
  shift: number,
  signal: AbortSignal | undefined,
): Promise<Int32Array | undefined> {
  const counts = new Int32Array(DIGITS);
  await inPieces(values.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) ++counts[(values[i]! >>> shift) & (DIGITS - 1)]!;
  });
  if (counts.includes(values.length)) return undefined;
  let start = 0;
  return counts.map((size) => (start += size) - size);
}

/** @param sorted - Rows in ascending order of their keys. */
async function groupSorted(
  { rows, low, high }: Keys & { readonly rows: Int32Array },
  signal: AbortSignal | undefined,
): Promise<RowsByKey> {
  const isFirst = (i: number) => i === 0 || low[i] !== low[i - 1] || (high !== undefined && high[i] !== high[i - 1]);
  let groups = 0;
  await inPieces(rows.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) if (isFirst(i)) ++groups;
  });
  const offsets = new Int32Array(groups + 1);
  const keys = { low: new Uint32Array(groups), high: high && new Uint32Array(groups) };
  let group = 0;
  await inPieces(rows.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) {
      if (!isFirst(i)) continue;
      offsets[group] = i;
      keys.low[group] = low[i]!;
      if (keys.high !== undefined) keys.high[group] = high![i]!;
      ++group;
    }
  });
  offsets[groups] = rows.length;
  return { rows, offsets, keys };
}

/** The same groups in another order: group g of the result is group `order[g]`. */
export function permuteGroups({ rows, offsets }: GroupedRows, order: Int32Array): GroupedRows {
  const permuted = new Int32Array(rows.length);
  const starts = new Int32Array(offsets.length);
  let end = 0;
  order.forEach((group, g) => {
    permuted.set(rows.subarray(offsets[group], offsets[group + 1]), end);
    end += offsets[group + 1]! - offsets[group]!;
    starts[g + 1] = end;
  });
  return { rows: permuted, offsets: starts };
}
