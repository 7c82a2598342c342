import type { EvaluationData, Sessions, TrainingDataInMemory } from "../data";
import { metricsOf, type Metrics } from "./metrics";

/** Accuracy of two simple recommenders, measured on the same targets. */
export interface BaselineMetrics {
  /** Every session gets the items of highest support (lower index on ties). */
  readonly mostPopular: Metrics;
  /**
   * The items that followed the last one in training, by count, then support, then lower index. A target that never
   * followed is a miss.
   */
  readonly lastItem: Metrics;
}

/** Calls `visit` for every pair of an event and its next one. */
function forEachPair({ items, offsets }: Sessions, visit: (from: number, to: number) => void): void {
  for (let s = 0; s + 1 < offsets.length; ++s)
    for (let e = offsets[s]!; e + 1 < offsets[s + 1]!; ++e) visit(items[e]!, items[e + 1]!);
}

/** [items] place of each item, from 1, by support, then lower index. */
export function popularityRanks(support: Uint32Array): Int32Array {
  const order = new Int32Array(support.length).map((_, item) => item);
  order.sort((a, b) => support[b]! - support[a]! || a - b);
  const ranks = new Int32Array(support.length);
  order.forEach((item, i) => (ranks[item] = i + 1));
  return ranks;
}

/** Places of the items that followed item i, by count, then popularity: `ranks[i].get(successor)`, from 1. */
function successorRanks(sessions: Sessions, popularity: Int32Array): readonly ReadonlyMap<number, number>[] {
  const counts = Array.from(popularity, () => new Map<number, number>());
  forEachPair(sessions, (from, to) => counts[from]!.set(to, (counts[from]!.get(to) ?? 0) + 1));
  return counts.map((followers) => {
    const sorted = [...followers].sort(([a, m], [b, n]) => n - m || popularity[a]! - popularity[b]!);
    return new Map(sorted.map(([item], i) => [item, i + 1]));
  });
}

/** @param lengths - List lengths to measure at. */
export function evaluateBaselines(
  training: Pick<TrainingDataInMemory, "support" | "sessions">,
  { sessions }: EvaluationData,
  lengths: readonly number[],
): BaselineMetrics {
  const popularity = popularityRanks(training.support);
  const successors = successorRanks(training.sessions, popularity);
  const mostPopular: number[] = [];
  const lastItem: number[] = [];
  forEachPair(sessions, (from, to) => {
    mostPopular.push(popularity[to]!);
    lastItem.push(successors[from]!.get(to) ?? Infinity);
  });
  return {
    mostPopular: metricsOf(Float64Array.from(mostPopular), lengths),
    lastItem: metricsOf(Float64Array.from(lastItem), lengths),
  };
}
