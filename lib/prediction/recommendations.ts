import type { ItemId } from "../data";

/** The items that most likely come next, best first. */
export interface Recommendations<Id extends ItemId = ItemId> {
  /** At most k; fewer where there are not as many to choose from. */
  readonly items: Id[];
  /** Of each item: its score, or with `fallback` its support. */
  readonly scores: number[];
  /** Events of the session left out, as the model does not know their items. */
  readonly skipped: number;
  /** Whether no known item was left in the session, so that the items rank by their support in training. */
  readonly fallback: boolean;
}

/** A list alone. */
export type RankedItems = Pick<Recommendations, "items" | "scores">;
