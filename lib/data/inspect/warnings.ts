import type { EventLog } from "../event-log";
import type { IdKind } from "../ids";
import { inTurns, inTurnsOfSessions } from "../turns";

/** Something about a log that is probably a mistake. */
export interface DataWarning {
  /** What kind of mistake it probably is. */
  readonly code: "mixed-time-units" | "giant-session" | "duplicate-rows" | "ids-with-spaces";
  /** How many events, or ids, or the events of the session. */
  readonly count: number;
  /** In one line. */
  readonly message: string;
}

/** Seconds from here on, the year 5138, are milliseconds. */
const MILLISECONDS = 1e11;
/** Times that are so many times smaller than most are seconds that were read as milliseconds. */
const FAR_EARLIER = 100;
/** Seconds of 1973: below, what is far earlier says nothing. */
const RECENT = 1e8;

/** @param median - Of the times. */
async function mixedTimeUnits(
  { times }: EventLog,
  median: number,
  signal: AbortSignal | undefined,
): Promise<DataWarning | undefined> {
  let count = 0;
  await inTurns(times.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) {
      const time = times[event]!;
      if (time >= MILLISECONDS || (median >= RECENT && time * FAR_EARLIER < median)) ++count;
    }
  });
  if (count === 0) return undefined;
  const message = `${count} of ${times.length} events have a time that is far from the others or in the far future: milliseconds mixed with seconds?`;
  return { code: "mixed-time-units", count, message };
}

/** A session that has a large part of the events, or more than a person can click. */
const GIANT = { length: 100, share: 0.05, always: 10_000 };

async function giantSession(
  { offsets, items, sessionIds }: EventLog,
  signal: AbortSignal | undefined,
): Promise<DataWarning | undefined> {
  let longest = 0;
  await inTurns(offsets.length - 1, signal, (from, to) => {
    for (let s = from; s < to; ++s)
      if (offsets[s + 1]! - offsets[s]! > offsets[longest + 1]! - offsets[longest]!) longest = s;
  });
  const count = offsets[longest + 1]! - offsets[longest]!;
  if (count < GIANT.always && (count < GIANT.length || count < GIANT.share * items.length)) return undefined;
  const share = ((100 * count) / items.length).toFixed(1);
  const message = `session ${String(sessionIds.at(longest))} has ${count} events, ${share} % of all: a robot, or an id that stands for none?`;
  return { code: "giant-session", count, message };
}

async function duplicateRows(
  { offsets, items, times, itemIds }: EventLog,
  signal: AbortSignal | undefined,
): Promise<DataWarning | undefined> {
  /** [items] which stretch of equal times it was in last, from 1 on */
  const lastSeen = new Int32Array(itemIds.length);
  let stretch = 0;
  let count = 0;
  await inTurnsOfSessions(offsets, signal, (from, to) => {
    for (let s = from; s < to; ++s) {
      for (let event = offsets[s]!; event < offsets[s + 1]!; ++event) {
        if (event === offsets[s] || times[event] !== times[event - 1]) ++stretch;
        if (lastSeen[items[event]!] === stretch) ++count;
        lastSeen[items[event]!] = stretch;
      }
    }
  });
  if (count === 0) return undefined;
  const message = `${count} events repeat another one: the same session, item and time`;
  return { code: "duplicate-rows", count, message };
}

const SPACE_AROUND = /^\s|\s$/;

async function countSpaced(
  kind: IdKind,
  length: number,
  at: (index: number) => unknown,
  signal: AbortSignal | undefined,
): Promise<number> {
  let count = 0;
  await inTurns(kind === "string" ? length : 0, signal, (from, to) => {
    for (let i = from; i < to; ++i) if (SPACE_AROUND.test(at(i) as string)) ++count;
  });
  return count;
}

async function idsWithSpaces(
  { itemKind, itemIds, sessionKind, sessionIds }: EventLog,
  signal: AbortSignal | undefined,
): Promise<DataWarning | undefined> {
  const items = await countSpaced(itemKind, itemIds.length, (i) => itemIds[i], signal);
  const sessions = await countSpaced(sessionKind, sessionIds.length, (i) => sessionIds.at(i), signal);
  if (items + sessions === 0) return undefined;
  const message = `${items} item ids and ${sessions} session ids begin or end with a space, which makes them others than those without`;
  return { code: "ids-with-spaces", count: items + sessions, message };
}

/** @param median - Of the times. */
export async function findWarnings(
  log: EventLog,
  median: number,
  signal: AbortSignal | undefined,
): Promise<DataWarning[]> {
  const found = [
    await mixedTimeUnits(log, median, signal),
    await giantSession(log, signal),
    await duplicateRows(log, signal),
    await idsWithSpaces(log, signal),
  ];
  return found.filter((warning) => warning !== undefined);
}
