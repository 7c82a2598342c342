import { keysBetween, type Keys } from "./keys";

/** Events side by side. */
export interface EventColumns {
  /** [events] keys of their sessions */
  readonly keys: Keys;
  /** [events] item indices */
  readonly items: Int32Array<ArrayBuffer>;
  /** [events] */
  readonly times: Float64Array<ArrayBuffer>;
}

/** The events `from` to `to`, in the same memory. */
export const eventsBetween = ({ keys, items, times }: EventColumns, from: number, to: number): EventColumns => ({
  keys: keysBetween(keys, from, to),
  items: items.subarray(from, to),
  times: times.subarray(from, to),
});
