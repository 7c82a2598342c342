import type { Readable } from "node:stream";
import { aborted, checkOptions, expected, Gru4RecError, untilAborted } from "../errors";
import type { EventLog } from "./event-log";
import type { TimeUnit } from "./event-times";
import type { ItemId, Widened } from "./ids";
import { isLogFile, readLog } from "./log-file";
import { readColumns, type EventColumns } from "./read-columns";
import { COLUMN_NAMES, readFile, type ColumnNames } from "./read-file";
import { readIterable, type Event } from "./read-iterable";
import { isTextStream, readStream } from "./read-stream";

/**
 * A click log: the path of a TSV or CSV file, three columns, events from an array, generator or other iterable (async
 * or not), a stream of TSV or CSV text such as `process.stdin`, or what {@link readEvents} and the splits return.
 */
export type DataInput<Id extends ItemId = ItemId> =
  string | EventColumns<Id> | Iterable<Event<Id>> | AsyncIterable<Event<Id>> | Readable | EventLog<Id>;

/** How to understand a click log. */
export interface ReadOptions {
  /** Names of the columns of a file or stream. Default: SessionId, ItemId, Time and EventType. */
  readonly columns?: Partial<ColumnNames> | undefined;
  /**
   * Unit of times that are numbers or bigints. Default: milliseconds when their median is at least 1e11, else seconds.
   */
  readonly timeUnit?: TimeUnit | undefined;
  /**
   * Memory that DuckDB may take while it reads a file, such as `2GB`; it puts what does not fit on disk. Default
   * `512MB`.
   */
  readonly memoryLimit?: string | undefined;
  /** Stops reading, with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

const TIME_UNITS: readonly unknown[] = ["s", "ms"] satisfies TimeUnit[];

/** The options with their defaults. */
function checkReadOptions(options: ReadOptions): { columns: ColumnNames; timeUnit: TimeUnit | undefined } {
  const refuse = (name: string, what: string, value: unknown) => {
    throw new Gru4RecError("ERR_ARGUMENT", expected(name, what, value));
  };
  const { columns = {}, timeUnit } = options;
  if (timeUnit !== undefined && !TIME_UNITS.includes(timeUnit)) refuse("timeUnit", '"s" or "ms"', timeUnit);
  if (typeof (columns as unknown) !== "object" || (columns as unknown) === null)
    refuse("columns", "an object { sessionId, itemId, time }", columns);
  for (const [key, name] of Object.entries(columns as Record<string, unknown>)) {
    if (!(key in COLUMN_NAMES)) refuse("the keys of columns", "sessionId, itemId, time or eventType", key);
    if (name !== undefined && (typeof name !== "string" || name === ""))
      refuse(`columns.${key}`, "the name of a column", name);
  }
  return {
    columns: {
      sessionId: columns.sessionId ?? COLUMN_NAMES.sessionId,
      itemId: columns.itemId ?? COLUMN_NAMES.itemId,
      time: columns.time ?? COLUMN_NAMES.time,
      eventType: columns.eventType ?? COLUMN_NAMES.eventType,
    },
    timeUnit,
  };
}

/**
 * Reads a click log into memory. What it gives can be used again and again wherever data is asked for.
 * @throws {@link Gru4RecError} `ERR_FILE` when a file cannot be read; `ERR_DATA` when the data does not hold events,
 * with the line, column index or event index; `ERR_ARGUMENT`. What an iterable or a stream throws comes as it is.
 */
export async function readEvents<Id extends ItemId = ItemId>(
  data: DataInput<Id>,
  options: ReadOptions = {},
): Promise<EventLog<Widened<Id>>> {
  checkOptions(options);
  return (await readTypedEvents(data, options, undefined)) as EventLog<Widened<Id>>;
}

/**
 * Reads a click log whose events of other types only count for the gaps between sessions: their items are -1.
 * @param eventTypes - Types of the events whose items matter; undefined: those of all.
 * @throws As {@link readEvents} does; `ERR_ARGUMENT` for types of a log that has been read, which has none.
 */
export async function readTypedEvents(
  data: DataInput,
  options: ReadOptions,
  eventTypes: readonly string[] | undefined,
): Promise<EventLog> {
  if (options.signal?.aborted) throw aborted(options.signal);
  return untilAborted(read(data, options, eventTypes), options.signal);
}

async function read(
  data: DataInput,
  options: ReadOptions,
  eventTypes: readonly string[] | undefined,
): Promise<EventLog> {
  const { columns, timeUnit } = checkReadOptions(options);
  const { memoryLimit, signal } = options;
  const fileOptions = { columns, timeUnit, memoryLimit, signal, eventTypes };
  if (typeof data === "string" && isLogFile(data)) return withoutTypes(eventTypes, readLog(data));
  if (typeof data === "string") return readFile(data, data, fileOptions);
  const given: unknown = data;
  if (typeof given !== "object" || given === null) {
    const what =
      "a path, columns { sessionId, itemId, time }, an iterable of events { session, item, time } or a stream";
    throw new Gru4RecError("ERR_ARGUMENT", expected("data", what, given));
  }
  if (isTextStream(data)) return readStream(data, fileOptions);
  if (Symbol.asyncIterator in data || Symbol.iterator in data) return readIterable(data, timeUnit, signal, eventTypes);
  return "itemIds" in data ? withoutTypes(eventTypes, data) : readColumns(data, timeUnit, signal, eventTypes);
}

function withoutTypes<T>(eventTypes: readonly string[] | undefined, log: T): T {
  if (eventTypes === undefined) return log;
  const message = "Expected eventTypes with a log that has not been read yet: one that has knows no types of events";
  throw new Gru4RecError("ERR_ARGUMENT", message);
}
