import type { DataCounts } from "./draft";
import type { RecipeName } from "./recipe-plans";

/** What a paper prints of a prepared data set; what it does not print is left out. */
export interface PublishedCounts {
  /** Of the training part. */
  readonly train: Partial<DataCounts>;
  /** Of the test part. */
  readonly test: Partial<DataCounts>;
  /** Where it is printed. */
  readonly source: string;
}

/** Recipes without an entry are unverified: nobody's counts are known. */
export const PUBLISHED: Partial<Readonly<Record<RecipeName, PublishedCounts>>> = {
  rsc15: {
    train: { events: 31_637_239, sessions: 7_966_257, items: 37_483 },
    test: { events: 71_222, sessions: 15_324 },
    source: "arXiv 1511.06939",
  },
};
