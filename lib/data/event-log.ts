import { Gru4RecError } from "../errors";
import type { IdKind, IdList, IdSequence, ItemId } from "./ids";
import type { GroupedEvents } from "./rows/group-events";
import { inTurns } from "./turns";

/** A click log in memory, session by session: 12 bytes an event, and 20 a session besides its id. */
export interface EventLog<Id extends ItemId = ItemId> {
  /** What the item ids are. */
  readonly itemKind: IdKind;
  /** Ids of the items by index, in the order of their first appearance in the input. */
  readonly itemIds: IdList<Id>;
  /** What the session ids are. */
  readonly sessionKind: IdKind;
  /** [sessions] ids, ascending: numbers by value, text by its UTF-8 bytes */
  readonly sessionIds: IdSequence;
  /** [sessions + 1] where the events of each session begin, and their end */
  readonly offsets: Int32Array;
  /** [events] item indices; those of a session by time, then by their place in the input */
  readonly items: Int32Array;
  /** [events] Unix seconds, from 0 on */
  readonly times: Float64Array;
  /** [sessions] time of the first event */
  readonly startTimes: Float64Array;
  /** [sessions] time of the last event */
  readonly endTimes: Float64Array;
}

/** Most events of a log: places among them are numbers of 32 bits. */
const MOST_EVENTS = 2 ** 31 - 1;

/**
 * @param name - What messages call the data.
 * @throws {@link Gru4RecError} `ERR_DATA` when there is no event, or more than a log can hold.
 */
export function checkEventCount(events: number, name?: string): void {
  const where = name === undefined ? "" : ` in ${name}`;
  if (events === 0) throw new Gru4RecError("ERR_DATA", `Expected at least one event but received none${where}`);
  if (events > MOST_EVENTS) {
    const message = `Expected at most ${MOST_EVENTS} events but received ${events}${where}: train on the latest ones`;
    throw new Gru4RecError("ERR_DATA", message);
  }
}

export type LogIds<Id extends ItemId = ItemId> = Pick<
  EventLog<Id>,
  "itemKind" | "itemIds" | "sessionKind" | "sessionIds"
>;

/**
 * Makes a log of events that are in its order.
 * @param grouped - Kept, not copied.
 * @throws {@link Gru4RecError} `ERR_ABORTED`
 */
export async function makeLog<Id extends ItemId>(
  ids: LogIds<Id>,
  { offsets, items, times }: Omit<GroupedEvents, "keys">,
  signal: AbortSignal | undefined,
): Promise<EventLog<Id>> {
  const sessions = offsets.length - 1;
  const [startTimes, endTimes] = [new Float64Array(sessions), new Float64Array(sessions)];
  await inTurns(sessions, signal, (from, to) => {
    for (let s = from; s < to; ++s) {
      startTimes[s] = times[offsets[s]!]!;
      endTimes[s] = times[offsets[s + 1]! - 1]!;
    }
  });
  return { ...ids, offsets, items, times, startTimes, endTimes };
}
