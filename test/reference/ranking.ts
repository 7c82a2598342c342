import type { NativeTies } from "../../lib/native/addon";

/** Rank of the score `target` among `scores`, its own included. */
export function rankOf(target: number, scores: readonly number[], ties: NativeTies): number {
  const above = scores.filter((score) => score > target).length;
  const equal = scores.filter((score) => score === target).length;
  switch (ties) {
    case "standard":
      return above + 1;
    case "conservative":
      return above + equal;
    case "median":
      return above + 0.5 * (equal - 1) + 1;
  }
}

/** The best `k` of `items` by `scores` [all items], best first, equal scores by item index. */
export function topItems(items: readonly number[], scores: ArrayLike<number>, k: number): number[] {
  return [...items].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, k);
}
