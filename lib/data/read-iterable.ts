import { aborted, expected, Gru4RecError } from "../errors";
import type { EventLog } from "./event-log";
import type { EventTime, TimeUnit } from "./event-times";
import type { ItemId, SessionId } from "./ids";
import { EventLogBuilder } from "./log-builder";

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

/**
 * Reads events as they come; none is kept as an object.
 * @param eventTypes - Types of the events whose items matter; undefined: those of all.
 * @throws What the iterable throws; {@link Gru4RecError} `ERR_DATA` for what is no event, naming its index.
 */
export async function readIterable(
  events: Iterable<Event> | AsyncIterable<Event>,
  unit: TimeUnit | undefined,
  signal: AbortSignal | undefined,
  eventTypes?: readonly string[],
): Promise<EventLog> {
  const builder = new EventLogBuilder((field, index) => `${field} of event ${index}`, FIRST_CAPACITY);
  const add = (event: unknown) => {
    if (signal?.aborted) throw aborted(signal);
    if (typeof event !== "object" || event === null) {
      const name = `event ${builder.length}`;
      throw new Gru4RecError("ERR_DATA", expected(name, "an object { session, item, time }", event));
    }
    const { session, item, time, type } = event as Event;
    if (eventTypes !== undefined && typeof type !== "string")
      throw new Gru4RecError("ERR_DATA", expected(`type of event ${builder.length}`, "text", type));
    builder.add(session, item, time, eventTypes?.includes(type!));
  };
  if (Symbol.asyncIterator in events) for await (const event of events) add(event);
  else for (const event of events) add(event);
  return builder.build(unit, signal);
}
