import { inTurns } from "../turns";

/** How numbers from 1 on are spread. */
export interface Distribution {
  /** The smallest one. */
  readonly min: number;
  /** The largest one. */
  readonly max: number;
  /** Their arithmetic mean. */
  readonly mean: number;
  /** The smallest number that so large a share of them does not exceed, by the share: 0.25, 0.5, 0.75, 0.9 and 0.99. */
  readonly quantiles: Readonly<Record<string, number>>;
  /** How many are from `from` to `to`: 1, 2, 3 to 4, 5 to 8 and so on; those at the end of the list are not 0. */
  readonly histogram: readonly HistogramBin[];
}

/** Numbers that are counted together. */
export interface HistogramBin {
  /** The smallest that belongs to it. */
  readonly from: number;
  /** The largest that belongs to it. */
  readonly to: number;
  /** How many there are. */
  readonly count: number;
}

const SHARES = [0.25, 0.5, 0.75, 0.9, 0.99];

/** @param values - Integers from 1 on, at least one. */
export async function distributionOf(
  values: Int32Array | Uint32Array,
  signal: AbortSignal | undefined,
): Promise<Distribution> {
  let max = 0;
  await inTurns(values.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) max = Math.max(max, values[i]!);
  });
  /** [max + 1] how many there are of each value */
  const spread = new Uint32Array(max + 1);
  await inTurns(values.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) ++spread[values[i]!]!;
  });
  const counts: number[] = [];
  const quantiles: Partial<Record<number, number>> = {};
  let [sum, seen] = [0, 0];
  for (let value = 1; value <= max; ++value) {
    const count = spread[value]!;
    if (count === 0) continue;
    sum += value * count;
    seen += count;
    for (const share of SHARES) if (seen >= share * values.length) quantiles[share] ??= value;
    const bin = value === 1 ? 0 : 32 - Math.clz32(value - 1);
    while (counts.length <= bin) counts.push(0);
    counts[bin]! += count;
  }
  return {
    min: spread.findIndex((count) => count > 0),
    max,
    mean: sum / values.length,
    quantiles: quantiles as Readonly<Record<string, number>>,
    histogram: counts.map((count, bin) => ({ from: bin === 0 ? 1 : 2 ** (bin - 1) + 1, to: 2 ** bin, count })),
  };
}
