/** What becomes of a session that has events before the border and from it on. */
export type Straddling = "cut" | "drop" | "keep";

/** How a part is held out, checked. One of `lastTime`, `lastSessions` and `lastFraction` is there. */
export interface SplitPlan {
  readonly lastTime?: number | undefined;
  readonly lastSessions?: number | undefined;
  readonly lastFraction?: number | undefined;
  readonly by: "start" | "end";
  readonly straddling: Straddling;
  /** End of the time that is held out, in Unix seconds; undefined: the last event. */
  readonly end: number | undefined;
}

/** Everything that is to be done, checked. */
export interface Plan {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly sessionGap: number | undefined;
  readonly eventTypes: boolean;
  /** Whether events of one time are in the order of their item ids rather than of the input. */
  readonly sortEqualTimes: boolean;
  readonly removeRepeats: boolean;
  readonly minItemSupport: number;
  readonly minSessionLength: number;
  readonly untilStable: boolean;
  readonly test: SplitPlan | undefined;
  readonly recentFraction: number | undefined;
  /** Where `end` is "border", the time that is held out ends where that of the test begins. */
  readonly validation: (Omit<SplitPlan, "end"> & { readonly end: SplitPlan["end"] | "border" }) | undefined;
  readonly removeUnknownItems: boolean;
}
