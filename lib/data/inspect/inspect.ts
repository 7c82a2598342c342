import type { EventLog } from "../event-log";
import { readEvents, type DataInput, type ReadOptions } from "../read-events";
import { orderOfTimes } from "../rows/sort-times";
import { inTurns, inTurnsOfSessions } from "../turns";
import { distributionOf, type Distribution } from "./distribution";
import { findWarnings, type DataWarning } from "./warnings";

/** What is in a click log. */
export interface DataReport {
  /** Number of events. */
  readonly events: number;
  /** Number of sessions. */
  readonly sessions: number;
  /** Different ones. */
  readonly items: number;
  /** Events of each session. */
  readonly lengths: Distribution;
  /** Events of each item. */
  readonly support: Distribution;
  /** Events of the same item as the one before in their session. */
  readonly repeats: number;
  /** Unix seconds of the first event. */
  readonly firstTime: number;
  /** Unix seconds of the last event. */
  readonly lastTime: number;
  /** Sessions of two events or more; the others have nothing to predict. */
  readonly trainedSessions: number;
  /** What is probably a mistake. */
  readonly warnings: readonly DataWarning[];
}

async function countRepeats({ offsets, items }: EventLog, signal: AbortSignal | undefined): Promise<number> {
  let repeats = 0;
  await inTurnsOfSessions(offsets, signal, (from, to) => {
    for (let s = from; s < to; ++s)
      for (let event = offsets[s]! + 1; event < offsets[s + 1]!; ++event)
        if (items[event] === items[event - 1]) ++repeats;
  });
  return repeats;
}

/**
 * Looks at a click log: how much there is, how it is spread, and what is probably a mistake.
 * @throws {@link Gru4RecError} as {@link readEvents} does.
 */
export async function inspect(data: DataInput, options: ReadOptions = {}): Promise<DataReport> {
  const log: EventLog = await readEvents(data, options);
  const { signal } = options;
  const { offsets, items, itemIds, startTimes, endTimes } = log;
  const sessions = startTimes.length;
  const lengths = new Int32Array(sessions);
  let trainedSessions = 0;
  await inTurns(sessions, signal, (from, to) => {
    for (let s = from; s < to; ++s) {
      lengths[s] = offsets[s + 1]! - offsets[s]!;
      if (lengths[s]! >= 2) ++trainedSessions;
    }
  });
  const support = new Uint32Array(itemIds.length);
  await inTurns(items.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) ++support[items[event]!]!;
  });
  const order = await orderOfTimes(startTimes, signal);
  let lastTime = 0;
  await inTurns(sessions, signal, (from, to) => {
    for (let s = from; s < to; ++s) lastTime = Math.max(lastTime, endTimes[s]!);
  });
  return {
    events: items.length,
    sessions,
    items: itemIds.length,
    lengths: await distributionOf(lengths, signal),
    support: await distributionOf(support, signal),
    repeats: await countRepeats(log, signal),
    firstTime: startTimes[order[0]!]!,
    lastTime,
    trainedSessions,
    warnings: await findWarnings(log, startTimes[order[sessions >> 1]!]!, signal),
  };
}
