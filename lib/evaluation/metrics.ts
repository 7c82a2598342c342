import { checkInteger, expected, Gru4RecError } from "../errors";

/** Accuracy by list length. */
export interface Metrics {
  /** Share of the targets within the first k. */
  readonly recall: Readonly<Record<number, number>>;
  /** Mean of 1 / rank, 0 beyond the first k. */
  readonly mrr: Readonly<Record<number, number>>;
}

/** List lengths to measure at, one or several. */
export type ListLengths = number | readonly number[];

/** Recall@20 and MRR@20 are what the papers report. */
export const DEFAULT_K = 20;

/** The list lengths as an array. @throws {@link Gru4RecError} `ERR_ARGUMENT` where one is not from 1 to `items`. */
export function checkListLengths(k: ListLengths | undefined, items: number): readonly number[] {
  if (k === undefined) return [DEFAULT_K];
  const lengths = typeof k === "number" ? [k] : k;
  if (!Array.isArray(lengths) || lengths.length === 0)
    throw new Gru4RecError("ERR_ARGUMENT", expected("k", "a list length or an array of them", k));
  for (const length of lengths as readonly unknown[]) checkInteger("k", length, 1, items);
  return lengths as readonly number[];
}

/**
 * Recall and MRR of target ranks.
 * @param ranks - From 1; Infinity for a target that is not in the list.
 */
export function metricsOf(ranks: Float64Array, lengths: readonly number[]): Metrics {
  const recall: Record<number, number> = {};
  const mrr: Record<number, number> = {};
  for (const k of lengths) {
    let hits = 0;
    let reciprocals = 0;
    for (const rank of ranks) {
      if (rank > k) continue;
      ++hits;
      reciprocals += 1 / rank;
    }
    recall[k] = hits / ranks.length;
    mrr[k] = reciprocals / ranks.length;
  }
  return { recall, mrr };
}
