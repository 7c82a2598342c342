import { Gru4RecError } from "../../errors";
import type { EventLog } from "../event-log";
import { inTurns } from "../turns";
import { copyDraft, countDraft, countItems, logOf, type DataCounts, type Draft } from "./draft";
import type { Plan, SplitPlan } from "./plan";
import { checkParts, splitDraft } from "./split-draft";
import {
  cutAtGaps,
  dropOtherTypes,
  dropRareItems,
  dropRepeats,
  dropShortSessions,
  keepItems,
  keepRecent,
  keepWindow,
  roundTime,
  sortEqualTimes,
} from "./steps";

/** A part of a log while it is prepared; `all` until the first split. */
export type PreparedPart = "all" | "train" | "validation" | "test";

/** What one step of a preparation did. */
export interface PrepareStep {
  /** In words, such as `rare items`. */
  readonly step: string;
  /** What it was done to. */
  readonly part: PreparedPart;
  /** What is gone. Cutting at gaps makes sessions more, which are below 0 here. */
  readonly removed: DataCounts;
  /** What is there after it. */
  readonly left: DataCounts;
}

/** What a preparation did, and what is left of the log. */
export interface PrepareReport {
  /** The log as it came; items are those of the wanted types. */
  readonly input: DataCounts;
  /** In the order in which they were taken. */
  readonly steps: readonly PrepareStep[];
  /** What is left to train on. */
  readonly train: DataCounts;
  /** What is held out to choose the epoch, where that was asked for. */
  readonly validation?: DataCounts;
  /** What is held out to measure on, where that was asked for. */
  readonly test?: DataCounts;
}

/** The parts of a log. */
export interface PreparedLogs {
  readonly train: EventLog;
  readonly validation?: EventLog;
  readonly test?: EventLog;
  readonly report: PrepareReport;
}

const difference = (a: DataCounts, b: DataCounts): DataCounts => ({
  events: a.events - b.events,
  sessions: a.sessions - b.sessions,
  items: a.items - b.items,
});

interface Counted {
  readonly draft: Draft;
  readonly counts: DataCounts;
}

/** Takes steps and writes down what they did. */
class Steps {
  readonly taken: PrepareStep[] = [];

  constructor(readonly signal: AbortSignal | undefined) {}

  async count(draft: Draft): Promise<Counted> {
    return { draft, counts: await countDraft(draft, this.signal) };
  }

  /** @param quiet - Whether not to write a step down that removed nothing. */
  async take(
    step: string,
    part: PreparedPart,
    before: Counted,
    work: (draft: Draft, signal: AbortSignal | undefined) => Promise<Draft>,
    quiet = false,
  ): Promise<Counted> {
    const after = await this.count(await work(before.draft, this.signal));
    if (!quiet || after.counts.events < before.counts.events)
      this.taken.push({ step, part, removed: difference(before.counts, after.counts), left: after.counts });
    checkLeft(after, part, step);
    return after;
  }
}

const PART_NAMES: Readonly<Record<PreparedPart, string>> = {
  all: "to be left",
  train: "to train on",
  validation: "to validate on",
  test: "to test on",
};

function checkLeft({ counts }: Counted, part: PreparedPart, step: string): void {
  if (counts.events > 0) return;
  throw new Gru4RecError("ERR_DATA", `Expected events ${PART_NAMES[part]} after the step ${step} but received none`);
}

/** What is done before a log is divided into windows of time. */
async function sessionsOf(draft: Draft, plan: Plan, steps: Steps): Promise<Counted> {
  let left = await steps.count(draft);
  const { from, to, sessionGap } = plan;
  if (from !== undefined || to !== undefined)
    left = await steps.take("time window", "all", left, (d, s) => keepWindow(d, from ?? 0, to ?? Infinity, s));
  if (sessionGap !== undefined) left = await steps.take("session gap", "all", left, (d, s) => cutAtGaps(d, sessionGap, s)); // prettier-ignore
  if (plan.eventTypes) left = await steps.take("event types", "all", left, dropOtherTypes);
  return left;
}

async function filter(all: Counted, plan: Plan, steps: Steps): Promise<Counted> {
  const { minItemSupport, minSessionLength, untilStable } = plan;
  let left = all;
  if (plan.sortEqualTimes) left = await steps.count(await sortEqualTimes(left.draft, steps.signal));
  if (plan.removeRepeats) left = await steps.take("repeats", "all", left, dropRepeats);
  const dropSessions = async (quiet: boolean) => {
    if (minSessionLength === 1) return;
    left = await steps.take("short sessions", "all", left, (d, s) => dropShortSessions(d, minSessionLength, s), quiet);
  };
  const dropItems = async (quiet: boolean) => {
    if (minItemSupport === 1) return;
    left = await steps.take("rare items", "all", left, (d, s) => dropRareItems(d, minItemSupport, s), quiet);
  };
  await dropSessions(false);
  await dropItems(false);
  if (minItemSupport > 1) await dropSessions(false);
  for (let before = Infinity; untilStable && left.counts.events < before;) {
    before = left.counts.events;
    await dropItems(true);
    await dropSessions(true);
  }
  return left;
}

/** What is in neither part, as the difference to what was there before. */
async function lost(
  before: Counted,
  rest: Counted,
  held: Counted,
  supports: readonly [Uint32Array, Uint32Array],
  signal: AbortSignal | undefined,
): Promise<DataCounts> {
  let sessions = before.counts.sessions - rest.counts.sessions - held.counts.sessions;
  const [origins, others] = [held.draft.origins, rest.draft.origins];
  let s = 0;
  await inTurns(others.length, signal, (from, to) => {
    for (let other = from; other < to; ++other) {
      while (s < origins.length && origins[s]! < others[other]!) ++s;
      if (origins[s] === others[other]) ++sessions; // cut: it is in both
    }
  });
  const [first, second] = supports;
  let items = before.counts.items;
  for (let item = 0; item < first.length; ++item) if (first[item]! + second[item]! > 0) --items;
  return { events: before.counts.events - rest.counts.events - held.counts.events, sessions, items };
}

interface HeldOut {
  readonly rest: Counted;
  readonly held: Counted;
  readonly border: number;
}

/** Holds a part out, and makes both parts fit for their use. */
async function holdOut(
  all: Counted,
  part: "test" | "validation",
  split: SplitPlan,
  { minSessionLength, removeUnknownItems }: Plan,
  recentFraction: number | undefined,
  steps: Steps,
): Promise<HeldOut> {
  const { signal } = steps;
  const parts = await splitDraft(all.draft, split, signal);
  let [rest, held] = [await steps.count(parts.rest), await steps.count(parts.held)];
  const supports = [await countItems(rest.draft, signal), await countItems(held.draft, signal)] as const;
  steps.taken.push({ step: "split", part, removed: await lost(all, rest, held, supports, signal), left: held.counts });
  checkLeft(rest, "train", "split");
  checkLeft(held, part, "split");
  const dropShort = async (of: PreparedPart, from: Counted) =>
    minSessionLength === 1
      ? from
      : steps.take("short sessions", of, from, (d, s) => dropShortSessions(d, minSessionLength, s), true);
  rest = await dropShort("train", rest);
  if (recentFraction !== undefined)
    rest = await steps.take("recent fraction", "train", rest, (d, s) => keepRecent(d, recentFraction, s));
  if (removeUnknownItems) {
    const known = await countItems(rest.draft, signal);
    held = await steps.take("unknown items", part, held, (d, s) => keepItems(d, known, 1, s));
  }
  held = await dropShort(part, held);
  await checkParts({ rest: rest.draft, held: held.draft, border: parts.border }, split, signal);
  return { rest, held, border: parts.border };
}

/** Filters sessions, and splits them. */
async function filterAndSplit(sessions: Counted, input: DataCounts, plan: Plan, steps: Steps): Promise<PreparedLogs> {
  const { signal } = steps;
  let train = await filter(sessions, plan, steps);
  let [test, validation]: (HeldOut | undefined)[] = [];
  if (plan.test !== undefined) {
    test = await holdOut(train, "test", plan.test, plan, plan.recentFraction, steps);
    train = test.rest;
  } else if (plan.recentFraction !== undefined) {
    const { recentFraction } = plan;
    train = await steps.take("recent fraction", "train", train, (d, s) => keepRecent(d, recentFraction, s));
  }
  if (plan.validation !== undefined) {
    const { end } = plan.validation;
    const rule = { ...plan.validation, end: end === "border" ? test!.border : end };
    validation = await holdOut(train, "validation", rule, plan, undefined, steps);
    train = validation.rest;
  }
  return {
    train: await logOf(train.draft, signal),
    ...(validation && { validation: await logOf(validation.held.draft, signal) }),
    ...(test && { test: await logOf(test.held.draft, signal) }),
    report: {
      input,
      steps: steps.taken,
      train: train.counts,
      ...(validation && { validation: validation.held.counts }),
      ...(test && { test: test.held.counts }),
    },
  };
}

/** @param draft - Used up. */
export async function runPlan(draft: Draft, plan: Plan, signal: AbortSignal | undefined): Promise<PreparedLogs> {
  const steps = new Steps(signal);
  const { counts } = await steps.count(draft);
  return filterAndSplit(await sessionsOf(draft, plan, steps), counts, plan, steps);
}

/**
 * Does the same in each of several windows of time, which are spread evenly from the first event to the last.
 * @param draft - Used up.
 * @param length - Seconds; undefined: so that each begins where the one before ends.
 */
export async function runPlanInWindows(
  draft: Draft,
  plan: Plan,
  { count, length }: { readonly count: number; readonly length?: number | undefined },
  signal: AbortSignal | undefined,
): Promise<PreparedLogs[]> {
  const all = new Steps(signal);
  const { counts } = await all.count(draft);
  const { draft: sessions } = await sessionsOf(draft, plan, all);
  let [first, last] = [Infinity, 0];
  const { times } = sessions;
  await inTurns(times.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) {
      first = Math.min(first, times[event]!);
      last = Math.max(last, times[event]!);
    }
  });
  const width = length ?? (last - first) / count;
  const pause = count === 1 ? 0 : Math.max(0, last - first - width) / (count - 1);
  const windows: PreparedLogs[] = [];
  for (let w = 0; w < count; ++w) {
    const start = roundTime(first + w * pause);
    const end = w + 1 === count && length === undefined ? Infinity : roundTime(start + width);
    const steps = new Steps(signal);
    steps.taken.push(...all.taken);
    const copy = { draft: await copyDraft(sessions, signal), counts: await countDraft(sessions, signal) };
    const events = await steps.take("window", "all", copy, (d, s) => keepWindow(d, start, end, s));
    windows.push(await filterAndSplit(events, counts, plan, steps));
  }
  return windows;
}
