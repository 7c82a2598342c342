import { aborted, expected, Gru4RecError } from "../../errors";
import type { EventLog } from "../event-log";
import type { EventTime } from "../event-times";
import type { ItemId, SessionId } from "../ids";
import { EventLogBuilder } from "../log-builder";
import { giveTurn } from "../turns";
import { isWanted, type SourceOptions } from "./options";

/** One click: which session looked at which item, and when. */
export interface Event<Id extends ItemId = ItemId> {
  /** Of one kind for all events. */
  readonly session: SessionId;
  /** Of one kind for all events. */
  readonly item: Id;
  /** Of one kind for all events. Numbers are Unix seconds, or milliseconds when their median is at least 1e11. */
  readonly time: EventTime;
  /** Only {@link prepare} with `eventTypes` looks at it. */
  readonly type?: string | undefined;
}

const FIRST_CAPACITY = 1024;
const EVENTS_BETWEEN_TURNS = 1024;

/**
 * Reads events as they come; none is kept as an object.
 * @throws What the iterable throws; {@link Gru4RecError} `ERR_DATA` for what is no event, naming its index.
 */
export async function readIterable(
  events: Iterable<Event> | AsyncIterable<Event>,
  { timeUnit, eventTypes, skipBadRows, signal, note }: SourceOptions,
): Promise<EventLog> {
  const builder = new EventLogBuilder((field, index) => `${field} of event ${index}`, FIRST_CAPACITY, skipBadRows);
  const add = (event: unknown) => {
    if (signal?.aborted) throw aborted(signal);
    if (typeof event !== "object" || event === null) {
      const message = expected(`event ${builder.added}`, "an object { session, item, time }", event);
      builder.refuse(new Gru4RecError("ERR_DATA", message));
      return;
    }
    const { session, item, time, type } = event as Event;
    if (eventTypes === undefined || typeof type === "string") {
      builder.add(session, item, time, isWanted(type, eventTypes));
      return;
    }
    builder.refuse(new Gru4RecError("ERR_DATA", expected(`type of event ${builder.added}`, "text", type)));
  };
  let taken = 0;
  const isTurnOver = () => ++taken % EVENTS_BETWEEN_TURNS === 0;
  if (Symbol.asyncIterator in events) {
    for await (const event of events) {
      add(event);
      if (isTurnOver()) await giveTurn(signal); // what waits for nothing gives none by itself
    }
  } else {
    for (const event of events) {
      add(event);
      if (isTurnOver()) await giveTurn(signal);
    }
  }
  builder.skipped.report("the events", note);
  return builder.build(timeUnit, signal);
}
