import type { Plan } from "./plan";

/** Public data sets whose preparation in the literature is known. */
export type RecipeName = "rsc15" | "yoochoose" | "retailrocket" | "diginetica" | "rees46" | "coveo";

const DAY = 86_400;
const HOUR = 3_600;

/** What the preparations have in common. */
const COMMON = {
  from: undefined,
  to: undefined,
  sessionGap: undefined,
  recentFraction: undefined,
  minItemSupport: 5,
  minSessionLength: 2,
};

/** Of the first paper (1511.06939): sessions are whole, the test is those that end in the last day. */
function firstPaper(): Plan {
  const lastDay = { lastTime: DAY, by: "end", straddling: "keep", end: undefined } as const;
  return {
    ...COMMON,
    eventTypes: false,
    sortEqualTimes: false,
    removeRepeats: false,
    untilStable: false,
    test: lastDay,
    validation: lastDay,
    removeUnknownItems: true,
  };
}

/**
 * Of the reproducibility study (2307.14956): the test is the sessions that start in the last days, and training ends
 * where they begin.
 * @param end - End of the last day, Unix seconds; undefined: the last event.
 */
function study({ days, end, ...rest }: { days: number; end?: number; sessionGap?: number; eventTypes?: true }): Plan {
  const lastDays = { lastTime: days * DAY, by: "start", straddling: "cut" } as const;
  return {
    ...COMMON,
    eventTypes: false,
    sortEqualTimes: true,
    removeRepeats: true,
    untilStable: true,
    test: { ...lastDays, end },
    validation: { ...lastDays, end: "border" },
    removeUnknownItems: false,
    ...rest,
  };
}

// Where types of events are looked at, those of other types count for the gaps between sessions. Rees46 and Diginetica
// have none: their relations are the views alone.
const PLANS: Readonly<Record<RecipeName, () => Plan>> = {
  rsc15: firstPaper,
  yoochoose: () => study({ days: 1 }),
  retailrocket: () => study({ days: 7, end: 1_442_545_200, sessionGap: HOUR, eventTypes: true }),
  diginetica: () => study({ days: 7 }),
  rees46: () => study({ days: 1, end: 1_575_158_400, sessionGap: HOUR }),
  coveo: () => study({ days: 1, sessionGap: HOUR, eventTypes: true }),
};

export const RECIPE_NAMES = Object.keys(PLANS) as RecipeName[];

export const recipePlan = (name: RecipeName): Plan => PLANS[name]();
