import { inTurns, inTurnsOfSessions } from "../turns";
import { roomFor, sessionTimes, takeMarked, type Draft } from "./draft";
import type { SplitPlan } from "./plan";
import { latestSessions, roundTime, shareOf } from "./steps";

/** A draft in two. */
export interface DraftSplit {
  readonly rest: Draft;
  readonly held: Draft;
  /** Time from which on events may be held out. */
  readonly border: number;
}

/** Marks of events. */
const [REST, HELD] = [1, 2];

/** Which sessions are held out, and from which time on. */
async function choose(
  draft: Draft,
  times: Float64Array,
  { lastTime, lastSessions, lastFraction, end }: SplitPlan,
  signal: AbortSignal | undefined,
): Promise<{ chosen: Uint8Array; border: number }> {
  const sessions = times.length;
  if (lastTime !== undefined) {
    let latest = 0;
    const ends = await sessionTimes(draft, "end", signal);
    await inTurns(sessions, signal, (from, to) => {
      for (let s = from; s < to; ++s) latest = Math.max(latest, ends[s]!);
    });
    const border = roundTime((end ?? latest) - lastTime);
    const chosen = new Uint8Array(sessions);
    await inTurns(sessions, signal, (from, to) => {
      for (let s = from; s < to; ++s) chosen[s] = Number(times[s]! >= border && times[s]! <= (end ?? latest));
    });
    return { chosen, border };
  }
  const count = lastSessions ?? shareOf(sessions, lastFraction!);
  if (count >= sessions) return { chosen: new Uint8Array(sessions).fill(1), border: -Infinity };
  const chosen = await latestSessions(times, count, signal);
  let border = Infinity;
  await inTurns(sessions, signal, (from, to) => {
    for (let s = from; s < to; ++s) if (chosen[s] === 1) border = Math.min(border, times[s]!);
  });
  return { chosen, border };
}

/**
 * Holds the last sessions out. Those of the rest and those that are held out differ, unless they are cut: the events
 * before the border are then of the rest, and the others are held out if their session is.
 */
export async function splitDraft(draft: Draft, plan: SplitPlan, signal: AbortSignal | undefined): Promise<DraftSplit> {
  const { offsets, times } = draft;
  const timeOf = await sessionTimes(draft, plan.by, signal);
  const { chosen, border } = await choose(draft, timeOf, plan, signal);
  const marks = new Uint8Array(times.length);
  await inTurnsOfSessions(offsets, signal, (from, to) => {
    for (let s = from; s < to; ++s) {
      const [first, end] = [offsets[s]!, offsets[s + 1]!];
      const beyond = plan.end !== undefined && timeOf[s]! > plan.end; // in neither part
      const mark = chosen[s] === 1 ? HELD : beyond ? 0 : REST;
      if (plan.straddling === "cut") {
        for (let event = first; event < end; ++event)
          marks[event] = times[event]! < border ? REST : mark === HELD ? HELD : 0;
      } else if (plan.straddling === "keep" || times[first]! >= border || times[end - 1]! < border)
        marks.fill(mark, first, end);
    }
  });
  const held = await takeMarked(draft, marks, HELD, signal, await roomFor(draft, marks, HELD, signal));
  return { rest: await takeMarked(draft, marks, REST, signal), held, border };
}

/**
 * Makes sure that nothing leaked from one part into the other.
 * @throws An error of this package's own making where something has.
 */
export async function checkParts(
  { rest, held, border }: DraftSplit,
  { straddling }: SplitPlan,
  signal: AbortSignal | undefined,
): Promise<void> {
  const whole = straddling !== "cut";
  let other = 0;
  await inTurns(held.origins.length, signal, (from, to) => {
    for (let s = from; whole && s < to; ++s) {
      const session = held.origins[s]!;
      while (other < rest.origins.length && rest.origins[other]! < session) ++other;
      if (rest.origins[other] === session)
        throw new Error(`Expected parts without a session in both but session ${session} is`);
    }
  });
  await inTurns(rest.times.length, signal, (from, to) => {
    for (let event = from; !whole && event < to; ++event)
      if (rest.times[event]! >= border)
        throw new Error(`Expected events before ${border} to train on but one is at ${rest.times[event]}`);
  });
  await inTurns(held.times.length, signal, (from, to) => {
    for (let event = from; !whole && event < to; ++event)
      if (held.times[event]! < border)
        throw new Error(`Expected events from ${border} on to test on but one is at ${held.times[event]}`);
  });
}
