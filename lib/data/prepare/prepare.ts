import { checkInteger, checkOptions, expected, Gru4RecError } from "../../errors";
import type { EventLog } from "../event-log";
import type { ItemId, Widened } from "../ids";
import { readTypedEvents, type DataInput } from "../read-events";
import { draftOf, type Draft } from "./draft";
import { checkPrepareOptions, PREPARE_OPTIONS, type PrepareOptions } from "./options";
import { PUBLISHED, type PublishedCounts } from "./published";
import { readRaw } from "./read-raw";
import type { RecipeName } from "./recipe-plans";
import { runPlan, runPlanInWindows, type PreparedLogs, type PrepareReport } from "./run-plan";

/** A click log, ready to train and to measure on. */
export interface Prepared<Id extends ItemId = ItemId> {
  /** What to train on. */
  readonly train: EventLog<Id>;
  /** What to choose the epoch or parameters on, where `validation` asks for it. */
  readonly validation?: EventLog<Id>;
  /** What to measure on, where `test` or a recipe asks for it. */
  readonly test?: EventLog<Id>;
  /** What each step removed. */
  readonly report: PrepareReport & {
    /** The recipe that was followed. */
    readonly recipe?: RecipeName;
    /** What papers print for the recipe; `unverified` where they print nothing. */
    readonly published?: PublishedCounts | "unverified";
  };
}

/** {@link PrepareOptions} for several windows of time. No recipe goes with it. */
export interface WindowOptions extends Omit<PrepareOptions, "recipe"> {
  /** The windows, spread evenly from the first event to the last. */
  readonly windows: {
    /** How many. 1 or more. */
    readonly count: number;
    /** Seconds of each. Default: so that each begins where the one before ends. */
    readonly length?: number | undefined;
  };
}

async function readDraft(data: DataInput, { eventTypes, ...options }: PrepareOptions): Promise<Draft> {
  const log = await readTypedEvents(data, options, eventTypes);
  return draftOf(log, log !== data, options.signal);
}

/**
 * Prepares a click log: makes sessions, filters, holds test and validation out. It does what the options name and
 * nothing else, and says in the report what each step removed. No session is in two parts, unless it was cut; then the
 * events of training are before those that it is measured on.
 * @param options - See {@link PrepareOptions}. With a `recipe`, `data` is the path of the raw file or of its folder.
 * @throws {@link Gru4RecError} `ERR_ARGUMENT`; `ERR_DATA` when a step leaves nothing; as {@link readEvents} does.
 */
export async function prepare<Id extends ItemId = ItemId>(
  data: DataInput<Id>,
  options: PrepareOptions = {},
): Promise<Prepared<Widened<Id>>> {
  checkOptions(options, PREPARE_OPTIONS);
  const { recipe, recentFraction, validation, signal } = options;
  const plan = checkPrepareOptions(options);
  if (recipe === undefined) return (await runPlan(await readDraft(data, options), plan, signal)) as Prepared<Widened<Id>>; // prettier-ignore
  if (typeof data !== "string" || data === "") {
    const message = expected("data", "the path of the raw file or its folder with a recipe", data);
    throw new Gru4RecError("ERR_ARGUMENT", message);
  }
  const prepared = await runPlan(await draftOf(await readRaw(recipe, data, options), true, signal), plan, signal);
  const isWhole = recentFraction === undefined && validation !== true; // as the papers count
  const published = (isWhole ? PUBLISHED[recipe] : undefined) ?? ("unverified" as const);
  const report = { ...prepared.report, recipe, published };
  return { ...prepared, report } as Prepared<Widened<Id>>;
}

/**
 * Prepares a click log in several windows of time, each as a log of its own: for results that do not hang on one day.
 * Time window, sessions and types of events come first. The windows are spread evenly from the first event to the last,
 * and sessions are cut where a window ends; each is then filtered and split.
 * @returns One for each window, the oldest first.
 * @throws As {@link prepare} does.
 */
export async function prepareWindows<Id extends ItemId = ItemId>(
  data: DataInput<Id>,
  options: WindowOptions,
): Promise<Prepared<Widened<Id>>[]> {
  checkOptions(options, ["windows", ...PREPARE_OPTIONS]);
  const { windows, ...rest } = options;
  checkOptions(windows, ["count", "length"], "windows");
  const { count, length } = windows;
  checkInteger("windows.count", count, 1, 10_000);
  if (length !== undefined && !(typeof length === "number" && length > 0 && length < Infinity))
    throw new Gru4RecError("ERR_ARGUMENT", expected("windows.length", "a number above 0", length));
  if ("recipe" in rest && rest.recipe !== undefined)
    throw new Gru4RecError("ERR_ARGUMENT", expected("recipe", "absent with windows", rest.recipe));
  const plan = checkPrepareOptions(rest);
  const prepared: PreparedLogs[] = await runPlanInWindows(await readDraft(data, rest), plan, windows, rest.signal);
  return prepared as Prepared<Widened<Id>>[];
}
