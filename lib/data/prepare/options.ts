import { checkInteger, checkOptions, expected, Gru4RecError, namesOf } from "../../errors";
import { TimeReader, type EventTime } from "../event-times";
import { READ_OPTIONS, type ReadOptions } from "../read-events";
import type { Plan, SplitPlan, Straddling } from "./plan";
import { RECIPE_NAMES, recipePlan, type RecipeName } from "./recipe-plans";

/** Which sessions are held out of training: exactly one of `lastTime`, `lastSessions` and `lastFraction`. */
export interface HoldOut {
  /** Those of so many last seconds, the border included. Above 0. */
  readonly lastTime?: number | undefined;
  /** So many last sessions. Of equal times, the session of the higher id is later. 1 or more. */
  readonly lastSessions?: number | undefined;
  /** This share of the sessions, the last ones; rounded down, one at least. Above 0 and below 1. */
  readonly lastFraction?: number | undefined;
  /** Which event of a session says when it is: its first or its last one. Default `end`. */
  readonly by?: "start" | "end" | undefined;
  /**
   * What becomes of sessions with events on both sides of the border, which is where the time that is held out begins,
   * or the first session. `keep`: they are whole in the part that `by` puts them into; `drop`: they are in no part;
   * `cut`: training gets all events before the border, and the other part the events from the border on of the sessions
   * that `by` puts into it. Default `keep`.
   */
  readonly straddling?: Straddling | undefined;
  /** End of the time that is held out; sessions that are later by `by` are in no part. Default: the last event. */
  readonly end?: EventTime | undefined;
}

/** What {@link prepare} does, in this order; what is not asked for is left out. */
export interface PrepareOptions extends ReadOptions {
  /**
   * Prepares a public data set as the literature does, from the files that its publisher distributes; the data is their
   * folder, or the file where there is one. No option goes with it but `recentFraction`, `validation: true`,
   * `memoryLimit` and `signal`.
   */
  readonly recipe?: RecipeName | undefined;
  /** Leaves the events from this time on: Unix seconds, a Date or ISO 8601 text. */
  readonly from?: EventTime | undefined;
  /** Leaves the events before this time: Unix seconds, a Date or ISO 8601 text. */
  readonly to?: EventTime | undefined;
  /**
   * Makes sessions of users, whose ids stand in the column of sessions: an event that comes more than so many seconds
   * after the one before begins a new one, events of all types counted. New sessions are numbered from 1.
   */
  readonly sessionGap?: number | undefined;
  /** Leaves the events of these types. They are in a column of the data, see `columns.eventType`. */
  readonly eventTypes?: readonly string[] | undefined;
  /** Removes an event of the same item as the one before it in the session. Default `false`. */
  readonly removeRepeats?: boolean | undefined;
  /** Removes items of fewer events. Default 1, none. */
  readonly minItemSupport?: number | undefined;
  /** Removes sessions of fewer events, before and after the items, and after every split. Default 1, none. */
  readonly minSessionLength?: number | undefined;
  /** Removes short sessions and rare items in turn until none is left. Default `false`: each once, sessions again. */
  readonly untilStable?: boolean | undefined;
  /** Which sessions are the test. Default: none. */
  readonly test?: HoldOut | undefined;
  /** Leaves this share of the training sessions, those that end last; rounded down. Above 0 and below 1. */
  readonly recentFraction?: number | undefined;
  /** Which of the remaining sessions choose the epoch; `true`: by the rule of the test once more. Default: none. */
  readonly validation?: HoldOut | boolean | undefined;
  /**
   * Whether test and validation lose the events of items that their training part does not have; then their short
   * sessions go, too. Evaluation passes over such events in any case. Default `false`; `true` with `recentFraction`.
   */
  readonly removeUnknownItems?: boolean | undefined;
}

export const PREPARE_OPTIONS: readonly string[] = [
  ...READ_OPTIONS,
  ...namesOf<Omit<PrepareOptions, keyof ReadOptions>>({
    recipe: true,
    from: true,
    to: true,
    sessionGap: true,
    eventTypes: true,
    removeRepeats: true,
    minItemSupport: true,
    minSessionLength: true,
    untilStable: true,
    test: true,
    recentFraction: true,
    validation: true,
    removeUnknownItems: true,
  }),
];

const HOLD_OUT = namesOf<HoldOut>({
  lastTime: true,
  lastSessions: true,
  lastFraction: true,
  by: true,
  straddling: true,
  end: true,
});

function refuse(name: string, what: string, value: unknown): never {
  throw new Gru4RecError("ERR_ARGUMENT", expected(name, what, value));
}

function checkAbove0(name: string, value: unknown): void {
  if (value !== undefined && !(typeof value === "number" && value > 0 && value < Infinity))
    refuse(name, "a number above 0", value);
}

function checkFraction(name: string, value: unknown): void {
  if (value !== undefined && !(typeof value === "number" && value > 0 && value < 1))
    refuse(name, "a number above 0 and below 1", value);
}

function checkFlag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "boolean") refuse(name, "true or false", value);
}

function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (value !== undefined && !choices.includes(value as string))
    refuse(name, `one of ${choices.join(", ")}`, value); // prettier-ignore
}

function secondsOf(name: string, time: unknown): number | undefined {
  if (time === undefined) return undefined;
  const seconds = new TimeReader(() => name);
  try {
    return seconds.read(time, 0);
  } catch {
    return refuse(name, "Unix seconds, a Date or ISO 8601 text, from 1970 on", time);
  }
}

function checkHoldOut(name: string, rule: unknown): SplitPlan | undefined {
  if (rule === undefined) return undefined;
  if (typeof rule !== "object" || rule === null) refuse(name, "an object such as { lastTime: 86400 }", rule);
  checkOptions(rule, HOLD_OUT, name);
  const { lastTime, lastSessions, lastFraction, by = "end", straddling = "keep", end } = rule as HoldOut;
  const given = [lastTime, lastSessions, lastFraction].filter((value) => value !== undefined);
  if (given.length !== 1) refuse(name, "an object with one of lastTime, lastSessions and lastFraction", rule);
  checkAbove0(`${name}.lastTime`, lastTime);
  if (lastSessions !== undefined) checkInteger(`${name}.lastSessions`, lastSessions, 1, Number.MAX_SAFE_INTEGER);
  checkFraction(`${name}.lastFraction`, lastFraction);
  checkChoice(`${name}.by`, by, ["start", "end"]);
  checkChoice(`${name}.straddling`, straddling, ["cut", "drop", "keep"]);
  if (end !== undefined && lastTime === undefined) refuse(`${name}.end`, "absent without lastTime", end);
  return { lastTime, lastSessions, lastFraction, by, straddling, end: secondsOf(`${name}.end`, end) };
}

function checkEventTypes(types: unknown): void {
  if (types === undefined) return;
  const isList = Array.isArray(types) && types.length > 0 && types.every((type) => typeof type === "string");
  if (!isList) refuse("eventTypes", "an array of texts that is not empty", types);
}

const WITH_A_RECIPE: readonly string[] = [
  "recipe",
  "recentFraction",
  "validation",
  "memoryLimit",
  "signal",
  "onNote",
] satisfies (keyof PrepareOptions)[];

function planOfRecipe(options: PrepareOptions): Plan {
  const { recipe, recentFraction, validation } = options;
  checkChoice("recipe", recipe, RECIPE_NAMES);
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !WITH_A_RECIPE.includes(name)) refuse(name, "absent with a recipe", value);
  checkFraction("recentFraction", recentFraction);
  checkFlag("validation with a recipe", validation);
  const plan = recipePlan(recipe!);
  return {
    ...plan,
    recentFraction,
    removeUnknownItems: plan.removeUnknownItems || recentFraction !== undefined,
    validation: validation === true ? plan.validation : undefined,
  };
}

/** @throws {@link Gru4RecError} `ERR_ARGUMENT` */
export function checkPrepareOptions(options: PrepareOptions): Plan {
  if (options.recipe !== undefined) return planOfRecipe(options);
  const { sessionGap, eventTypes, removeRepeats = false, untilStable = false, recentFraction } = options;
  const { minItemSupport = 1, minSessionLength = 1, removeUnknownItems = recentFraction !== undefined } = options;
  checkAbove0("sessionGap", sessionGap);
  checkEventTypes(eventTypes);
  checkFlag("removeRepeats", removeRepeats);
  checkFlag("untilStable", untilStable);
  checkFlag("removeUnknownItems", removeUnknownItems);
  checkInteger("minItemSupport", minItemSupport, 1, Number.MAX_SAFE_INTEGER);
  checkInteger("minSessionLength", minSessionLength, 1, Number.MAX_SAFE_INTEGER);
  checkFraction("recentFraction", recentFraction);
  const test = checkHoldOut("test", options.test);
  return {
    from: secondsOf("from", options.from),
    to: secondsOf("to", options.to),
    sessionGap,
    eventTypes: eventTypes !== undefined,
    sortEqualTimes: false,
    removeRepeats,
    minItemSupport,
    minSessionLength,
    untilStable,
    test,
    recentFraction,
    validation: checkValidation(options.validation, test),
    removeUnknownItems,
  };
}

function checkValidation(validation: unknown, test: SplitPlan | undefined): Plan["validation"] {
  if (validation === undefined || validation === false) return undefined;
  if (validation !== true) return checkHoldOut("validation", validation);
  if (test === undefined) refuse("validation", "a rule of its own where there is none for the test", validation);
  return { ...test, end: test.end === undefined ? undefined : "border" };
}
