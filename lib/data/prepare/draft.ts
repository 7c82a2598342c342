import type { EventLog, LogIds } from "../event-log";
import { makeIdList, pickIds, type IdList } from "../ids";
import { OTHER_TYPE } from "../other-type";
import { countUp } from "../rows/count-up";
import { copyInTurns, inTurns, inTurnsOfSessions } from "../turns";

/** A log on its way through the steps of a preparation. They own its arrays, and change them in place. */
export interface Draft {
  /** What items and origins stand for. */
  readonly ids: LogIds;
  /** [sessions + 1] */
  readonly offsets: Int32Array;
  /** [events] item indices, or OTHER_TYPE */
  readonly items: Int32Array;
  /** [events] Unix seconds, ascending within a session */
  readonly times: Float64Array;
  /** [sessions] places among the ids of sessions, ascending */
  readonly origins: Int32Array;
}

/** How much there is. */
export interface DataCounts {
  /** Number of events. */
  readonly events: number;
  /** Number of sessions. */
  readonly sessions: number;
  /** Different ones. */
  readonly items: number;
}

/** @param mine - Whether nobody else has the log, so that its arrays may be changed. */
export async function draftOf(log: EventLog, mine: boolean, signal: AbortSignal | undefined): Promise<Draft> {
  const { itemKind, itemIds, sessionKind, sessionIds, offsets, items, times } = log;
  const ids = { itemKind, itemIds, sessionKind, sessionIds };
  const draft = { ids, offsets, items, times, origins: countUp(offsets.length - 1) };
  return mine ? draft : copyDraft(draft, signal);
}

export async function copyDraft(
  { ids, offsets, items, times, origins }: Draft,
  signal: AbortSignal | undefined,
): Promise<Draft> {
  return {
    ids,
    offsets: await copyInTurns(offsets, signal),
    items: await copyInTurns(items, signal),
    times: await copyInTurns(times, signal),
    origins: await copyInTurns(origins, signal),
  };
}

/** [sessions] time of each one's first or last event */
export async function sessionTimes(
  { offsets, times, origins }: Draft,
  by: "start" | "end",
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const of = new Float64Array(origins.length);
  await inTurns(origins.length, signal, (from, to) => {
    for (let s = from; s < to; ++s) of[s] = times[by === "start" ? offsets[s]! : offsets[s + 1]! - 1]!;
  });
  return of;
}

/** [items] how many events each has; those of other types have none. */
export async function countItems({ ids, items }: Draft, signal: AbortSignal | undefined): Promise<Uint32Array> {
  const support = new Uint32Array(ids.itemIds.length);
  await inTurns(items.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) if (items[event] !== OTHER_TYPE) ++support[items[event]!]!;
  });
  return support;
}

export async function countDraft(draft: Draft, signal: AbortSignal | undefined): Promise<DataCounts> {
  let items = 0;
  for (const events of await countItems(draft, signal)) if (events > 0) ++items;
  return { events: draft.items.length, sessions: draft.origins.length, items };
}

/**
 * The events of one mark; sessions without any are gone.
 * @param marks - [events]
 * @param into - Whose arrays take the result: the draft itself, or one of the result's size or more.
 */
export async function takeMarked(
  draft: Draft,
  marks: Uint8Array,
  mark: number,
  signal: AbortSignal | undefined,
  into: Draft = draft,
): Promise<Draft> {
  const { offsets, items, times, origins } = draft;
  if (into === draft && (await countMarks(marks, mark, signal)) === items.length) return draft;
  let sessions = 0;
  let end = 0;
  let last = 0; // read before offsets are written, which may be the same
  await inTurnsOfSessions(offsets, signal, (from, to) => {
    for (let s = from; s < to; ++s) {
      const [first, start] = [last, end];
      last = offsets[s + 1]!;
      for (let event = first; event < last; ++event) {
        if (marks[event] !== mark) continue;
        into.items[end] = items[event]!;
        into.times[end++] = times[event]!;
      }
      if (end === start) continue;
      into.origins[sessions] = origins[s]!;
      into.offsets[++sessions] = end;
    }
  });
  into.offsets[0] = 0;
  return {
    ids: draft.ids,
    offsets: into.offsets.subarray(0, sessions + 1),
    items: into.items.subarray(0, end),
    times: into.times.subarray(0, end),
    origins: into.origins.subarray(0, sessions),
  };
}

/** An empty draft with room for the events of one mark, and for all sessions. */
export async function roomFor(
  draft: Draft,
  marks: Uint8Array,
  mark: number,
  signal: AbortSignal | undefined,
): Promise<Draft> {
  const events = await countMarks(marks, mark, signal);
  return {
    ids: draft.ids,
    offsets: new Int32Array(draft.offsets.length),
    items: new Int32Array(events),
    times: new Float64Array(events),
    origins: new Int32Array(draft.origins.length),
  };
}

async function countMarks(marks: Uint8Array, mark: number, signal: AbortSignal | undefined): Promise<number> {
  let count = 0;
  await inTurns(marks.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) if (marks[event] === mark) ++count;
  });
  return count;
}

/** Where the ids of a part are in those of the whole, without the ones that do not occur; and the items as places there. */
async function renumberItems(
  { items }: Draft,
  support: Uint32Array,
  signal: AbortSignal | undefined,
): Promise<{ used: Int32Array; renumbered: Int32Array }> {
  const used = countUp(support.length).filter((item) => support[item]! > 0);
  const numberOf = new Int32Array(support.length);
  used.forEach((item, number) => (numberOf[item] = number));
  const renumbered = new Int32Array(items.length);
  await inTurns(items.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) renumbered[event] = numberOf[items[event]!]!;
  });
  return { used, renumbered };
}

/** The draft as a log, whose items are those that occur in it. */
export async function logOf(draft: Draft, signal: AbortSignal | undefined): Promise<EventLog> {
  const { ids, offsets, times, origins } = draft;
  const { itemKind, itemIds, sessionKind, sessionIds } = ids;
  const { used, renumbered } = await renumberItems(draft, await countItems(draft, signal), signal);
  return {
    itemKind,
    itemIds: makeIdList(Array.from(used, (item) => itemIds[item]!), itemKind) as IdList, // prettier-ignore
    sessionKind,
    sessionIds: await pickIds(sessionIds, origins, sessionKind, signal),
    offsets: await copyInTurns(offsets, signal),
    items: renumbered,
    times: await copyInTurns(times, signal),
    startTimes: await sessionTimes(draft, "start", signal),
    endTimes: await sessionTimes(draft, "end", signal),
  };
}
