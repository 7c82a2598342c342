import { Gru4RecError } from "../errors";
import type { IdKind, IdList, IdSequence, ItemId } from "./ids";
import type { GroupedRows } from "./rows/group-rows";
import { inPieces } from "./rows/pieces";

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

/** Events as they came in. */
export interface LogRows {
  /** [events] item indices */
  readonly items: Int32Array;
  /** [events] Unix seconds */
  readonly times: Float64Array;
}

export type LogIds<Id extends ItemId = ItemId> = Pick<
  EventLog<Id>,
  "itemKind" | "itemIds" | "sessionKind" | "sessionIds"
>;

/**
 * Puts events in the order of a log.
 * @param sessions - Which rows belong to each session.
 */
export async function arrangeLog<Id extends ItemId>(
  ids: LogIds<Id>,
  { items, times }: LogRows,
  { rows, offsets }: GroupedRows,
  signal: AbortSignal | undefined,
): Promise<EventLog<Id>> {
  const count = offsets.length - 1;
  const log = {
    ...ids,
    offsets,
    items: new Int32Array(rows.length),
    times: new Float64Array(rows.length),
    startTimes: new Float64Array(count),
    endTimes: new Float64Array(count),
  };
  await inPieces(rows.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) {
      const row = rows[event]!;
      log.items[event] = items[row]!;
      log.times[event] = times[row]!;
    }
  });
  await inPieces(count, signal, (from, to) => {
    for (let s = from; s < to; ++s) {
      sortByTime(log, offsets[s]!, offsets[s + 1]!);
      log.startTimes[s] = log.times[offsets[s]!]!;
      log.endTimes[s] = log.times[offsets[s + 1]! - 1]!;
    }
  });
  return log;
}

/** Sessions of more events than this are sorted by the library's sort. */
const LONG_SESSION = 64;

/** Puts the events `first` to `end` in the order of their times; those of one time stay in theirs. */
function sortByTime({ items, times }: LogRows, first: number, end: number): void {
  if (end - first > LONG_SESSION) {
    const order = Int32Array.from({ length: end - first }, (_, i) => first + i);
    order.sort((a, b) => times[a]! - times[b]! || a - b);
    items.set(order.map((event) => items[event]!), first); // prettier-ignore
    times.set(Float64Array.from(order, (event) => times[event]!), first); // prettier-ignore
    return;
  }
  for (let event = first + 1; event < end; ++event) {
    const [item, time] = [items[event]!, times[event]!];
    let place = event;
    for (; place > first && times[place - 1]! > time; --place) {
      items[place] = items[place - 1]!;
      times[place] = times[place - 1]!;
    }
    items[place] = item;
    times[place] = time;
  }
}
