import { compareIds } from "../ids";
import { OTHER_TYPE } from "../other-type";
import { countUp } from "../rows/count-up";
import { orderOfTimes } from "../rows/sort-times";
import { inTurns, inTurnsOfSessions, sortInTurns } from "../turns";
import { countItems, sessionTimes, takeMarked, type Draft } from "./draft";

// Each step takes a draft, whose arrays it may change, and gives what is left of it.

/** A millionth of a second is what times of today keep: two that are an hour apart are so within rounding. */
const MICROSECONDS = 1e6;

/** A time, or a stretch of time, to the microsecond. */
export const toMicroseconds = (seconds: number): number => Math.round(seconds * MICROSECONDS);

/** The double that is nearest to a time in whole microseconds. */
export const roundTime = (seconds: number): number => toMicroseconds(seconds) / MICROSECONDS;

/** Leaves the events from `from` on that are before `to`. */
export async function keepWindow(
  draft: Draft,
  from: number,
  to: number,
  signal: AbortSignal | undefined,
): Promise<Draft> {
  const { times } = draft;
  const marks = new Uint8Array(times.length);
  await inTurns(times.length, signal, (first, end) => {
    for (let event = first; event < end; ++event) marks[event] = Number(times[event]! >= from && times[event]! < to);
  });
  return takeMarked(draft, marks, 1, signal);
}

/**
 * Cuts sessions where an event comes more than `gap` seconds after the one before. The new ones are numbered from 1, in
 * the order of the old ones and of time.
 */
export async function cutAtGaps(draft: Draft, gap: number, signal: AbortSignal | undefined): Promise<Draft> {
  const { offsets, times } = draft;
  const most = toMicroseconds(gap);
  const isFirst = new Uint8Array(times.length);
  let sessions = 0;
  await inTurnsOfSessions(offsets, signal, (from, to) => {
    for (let s = from; s < to; ++s) {
      for (let event = offsets[s]!; event < offsets[s + 1]!; ++event) {
        if (event > offsets[s]! && toMicroseconds(times[event]! - times[event - 1]!) <= most) continue;
        isFirst[event] = 1;
        ++sessions;
      }
    }
  });
  const starts = new Int32Array(sessions + 1);
  let session = 0;
  await inTurns(times.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) if (isFirst[event] === 1) starts[session++] = event;
  });
  starts[sessions] = times.length;
  const sessionIds = new Float64Array(sessions);
  await inTurns(sessions, signal, (from, to) => {
    for (let s = from; s < to; ++s) sessionIds[s] = s + 1;
  });
  const ids = { ...draft.ids, sessionKind: "number", sessionIds } as const;
  return { ...draft, ids, offsets: starts, origins: countUp(sessions) };
}

/** Leaves the events of the wanted types. */
export async function dropOtherTypes(draft: Draft, signal: AbortSignal | undefined): Promise<Draft> {
  const { items } = draft;
  const marks = new Uint8Array(items.length);
  await inTurns(items.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) marks[event] = Number(items[event] !== OTHER_TYPE);
  });
  return takeMarked(draft, marks, 1, signal);
}

/** Puts the events of a session that have the same time in the order of their item ids. */
export async function sortEqualTimes(draft: Draft, signal: AbortSignal | undefined): Promise<Draft> {
  const { ids, offsets, items, times } = draft;
  const order = countUp(ids.itemIds.length);
  await sortInTurns(order, (a, b) => compareIds(ids.itemIds[a]!, ids.itemIds[b]!), signal);
  const place = new Int32Array(order.length);
  order.forEach((item, i) => (place[item] = i));
  await inTurnsOfSessions(offsets, signal, (from, to) => {
    for (let s = from; s < to; ++s) {
      const end = offsets[s + 1]!;
      for (let first = offsets[s]!; first < end;) {
        let next = first + 1;
        while (next < end && times[next] === times[first]) ++next;
        if (next > first + 1) sortPlaces(items.subarray(first, next), place, order);
        first = next;
      }
    }
  });
  return draft;
}

function sortPlaces(items: Int32Array, place: Int32Array, order: Int32Array): void {
  for (let i = 0; i < items.length; ++i) items[i] = place[items[i]!]!;
  items.sort();
  for (let i = 0; i < items.length; ++i) items[i] = order[items[i]!]!;
}

/** Removes events of the item that their session's event before has. */
export async function dropRepeats(draft: Draft, signal: AbortSignal | undefined): Promise<Draft> {
  const { offsets, items } = draft;
  const marks = new Uint8Array(items.length);
  await inTurnsOfSessions(offsets, signal, (from, to) => {
    for (let s = from; s < to; ++s)
      for (let event = offsets[s]!; event < offsets[s + 1]!; ++event)
        marks[event] = Number(event === offsets[s] || items[event] !== items[event - 1]);
  });
  return takeMarked(draft, marks, 1, signal);
}

/** Removes sessions of fewer than `minimum` events. */
export async function dropShortSessions(
  draft: Draft,
  minimum: number,
  signal: AbortSignal | undefined,
): Promise<Draft> {
  const { offsets, items } = draft;
  const marks = new Uint8Array(items.length);
  await inTurnsOfSessions(offsets, signal, (from, to) => {
    for (let s = from; s < to; ++s)
      if (offsets[s + 1]! - offsets[s]! >= minimum) marks.fill(1, offsets[s], offsets[s + 1]);
  });
  return takeMarked(draft, marks, 1, signal);
}

/** Removes the events of items that have fewer than `minimum` of them. */
export async function dropRareItems(draft: Draft, minimum: number, signal: AbortSignal | undefined): Promise<Draft> {
  return keepItems(draft, await countItems(draft, signal), minimum, signal);
}

/** Removes the events of items that have fewer than `minimum` events by `support`, which another draft may have. */
export async function keepItems(
  draft: Draft,
  support: Uint32Array,
  minimum: number,
  signal: AbortSignal | undefined,
): Promise<Draft> {
  const { items } = draft;
  const marks = new Uint8Array(items.length);
  await inTurns(items.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) marks[event] = Number(support[items[event]!]! >= minimum);
  });
  return takeMarked(draft, marks, 1, signal);
}

/** Marks of the `count` sessions with the latest of `times`; of equal ones the later session comes first. */
export async function latestSessions(
  times: Float64Array,
  count: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const order = await orderOfTimes(times, signal);
  const chosen = new Uint8Array(times.length);
  for (let i = order.length - count; i < order.length; ++i) chosen[order[i]!] = 1;
  return chosen;
}

/** Leaves the `fraction` of the sessions, rounded down but one at least, whose last events are the latest. */
export async function keepRecent(draft: Draft, fraction: number, signal: AbortSignal | undefined): Promise<Draft> {
  const { offsets, origins, items } = draft;
  const endTimes = await sessionTimes(draft, "end", signal);
  const chosen = await latestSessions(endTimes, shareOf(origins.length, fraction), signal);
  const marks = new Uint8Array(items.length);
  await inTurnsOfSessions(offsets, signal, (from, to) => {
    for (let s = from; s < to; ++s) if (chosen[s] === 1) marks.fill(1, offsets[s], offsets[s + 1]);
  });
  return takeMarked(draft, marks, 1, signal);
}

/** How many sessions a fraction of them is, rounded down, though 0.29 of 100 are 29. */
export const shareOf = (sessions: number, fraction: number): number =>
  Math.max(1, Math.floor(sessions * fraction + 1e-9));
