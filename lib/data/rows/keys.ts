/** A key of 64 bits for each row, as two columns. Keys are in the order of `high`, then `low`. */
export interface Keys {
  readonly low: Uint32Array<ArrayBuffer>;
  /** A number: the same for all rows. */
  readonly high: Uint32Array<ArrayBuffer> | number;
}

/** The highest bit, which turns the order of signed integers into that of unsigned ones. */
export const SIGN = 0x80000000;

/** The high word of a row's key. */
export const highOf = ({ high }: Keys, row: number): number => (typeof high === "number" ? high : high[row]!);

/** The keys of the rows `from` to `to`, in the same memory. */
export const keysBetween = ({ low, high }: Keys, from: number, to: number): Keys => ({
  low: low.subarray(from, to),
  high: typeof high === "number" ? high : high.subarray(from, to),
});
