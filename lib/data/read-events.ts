import type { Readable } from "node:stream";
import { aborted, checkOptions, expected, Gru4RecError, namesOf, untilAborted } from "../errors";
import type { EventLog } from "./event-log";
import type { TimeUnit } from "./event-times";
import type { ItemId, Widened } from "./ids";
import { isLogFile, readLog } from "./log-file";
import { isArrowTable, readArrowTable, type ArrowTable } from "./sources/arrow-table";
import { listFiles, type InputFile } from "./sources/files";
import { FILE_FORMATS, type ColumnNames, type FileFormat, type SourceOptions } from "./sources/options";
import { readColumns, type EventColumns } from "./sources/read-columns";
import type { DatabaseSource, QuerySource, TableSource } from "./sources/database-source";
import type * as ReadDatabase from "./sources/read-database";
import type * as ReadFiles from "./sources/read-files";
import { readIterable, type Event } from "./sources/read-iterable";
import { isTextStream, readStream } from "./sources/read-stream";

/** Several files as one log, one after the other. */
export interface FileSource {
  /** Files, folders and patterns, as a path may be one by itself. A prepared log (`.g4r`) is the only file then. */
  readonly paths: readonly string[];
}

/**
 * A click log:
 * - the path of a file: CSV or TSV with a header, JSON lines (either also compressed by gzip or Zstandard) or Parquet; of
 *   a folder of such files, of one kind; or a pattern such as `clicks/2026-*.parquet`. Files of folders and patterns come
 *   by name;
 * - {@link FileSource}: several paths; {@link DatabaseSource}: a table or query of a DuckDB or SQLite file;
 * - three columns; events from an array, generator or other iterable (async or not); a stream of bytes or text such as
 *   `process.stdin`; an Arrow table;
 * - what {@link readEvents} and the splits return.
 */
export type DataInput<Id extends ItemId = ItemId> =
  | string
  | FileSource
  | DatabaseSource
  | EventColumns<Id>
  | ArrowTable
  | Iterable<Event<Id>>
  | AsyncIterable<Event<Id>>
  | Readable
  | EventLog<Id>;

/**
 * How to understand a click log.
 *
 * Ids of files and tables keep their types. Integers are numbers, or bigints where one is beyond the safe integers, or
 * text where one is beyond 64 bits; UUIDs are text. Text stays text; only in CSV and TSV files, which have nothing else,
 * it is integers where all of a column are. Times are numbers, timestamps (UTC unless they say otherwise), dates or ISO
 * 8601 text.
 */
export interface ReadOptions {
  /**
   * Names of the columns of files, tables and streams. Default: SessionId, ItemId, Time and EventType; where these are missing, the
   * only ones of another usual name, in capital or small letters: session_id, session, visit_id, visit or user_session;
   * item_id, item, product_id, product, sku or article_id; timestamp, time, event_time, ts, datetime or created_at; event_type, event, action or type.
   */
  readonly columns?: Partial<ColumnNames> | undefined;
  /**
   * Unit of times that are numbers or bigints. Default: milliseconds when their median is at least 1e11, else seconds.
   */
  readonly timeUnit?: TimeUnit | undefined;
  /** What files and streams hold. Default: told by the names of files, else `csv`. */
  readonly format?: FileFormat | undefined;
  /** Leaves out rows that are no events, and notes how many, rather than to refuse the data. Default false. */
  readonly skipBadRows?: boolean | undefined;
  /**
   * Memory that DuckDB may take while it reads a file, such as `2GB`; it puts what does not fit on disk. Default
   * `512MB`.
   */
  readonly memoryLimit?: string | undefined;
  /** Stops reading, with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called with what is worth knowing of how data was read: columns of other names than the default, rows that were left
   * out. Default: `process.emitWarning`.
   */
  readonly onNote?: ((note: string) => void) | undefined;
}

export const READ_OPTIONS = namesOf<ReadOptions>({
  columns: true,
  timeUnit: true,
  format: true,
  skipBadRows: true,
  memoryLimit: true,
  signal: true,
  onNote: true,
});

/** Those of a verb's options that say how to read its data. */
export function pickReadOptions(options: ReadOptions): ReadOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => READ_OPTIONS.includes(name)));
}

const TIME_UNITS: readonly TimeUnit[] = ["s", "ms"];
const COLUMNS = namesOf<ColumnNames>({ sessionId: true, itemId: true, time: true, eventType: true });
const MEMORY_LIMIT = /^[1-9]\d*(\.\d+)? ?([KMGT]i?B)$/i;

/** The options with their defaults. */
function checkReadOptions(options: ReadOptions, eventTypes: readonly string[] | undefined): SourceOptions {
  const check = (name: keyof ReadOptions, what: string, isGood: (value: unknown) => boolean) => {
    const value: unknown = options[name];
    if (value !== undefined && !isGood(value)) throw new Gru4RecError("ERR_ARGUMENT", expected(name, what, value));
  };
  const isOneOf = (choices: readonly unknown[]) => (value: unknown) => choices.includes(value);
  check("timeUnit", '"s" or "ms"', isOneOf(TIME_UNITS));
  check("format", FILE_FORMATS.map((format) => `"${format}"`).join(" or "), isOneOf(FILE_FORMATS));
  check("skipBadRows", "true or false", (value) => typeof value === "boolean");
  check("onNote", "a function", (value) => typeof value === "function");
  check("memoryLimit", 'a size such as "512MB" or "2GB"', (value) => typeof value === "string" && MEMORY_LIMIT.test(value)); // prettier-ignore
  if (options.columns !== undefined) checkOptions(options.columns, COLUMNS, "columns");
  const columns = Object.entries((options.columns ?? {}) as Record<string, unknown>);
  for (const [key, name] of columns) {
    if (name !== undefined && (typeof name !== "string" || name === ""))
      throw new Gru4RecError("ERR_ARGUMENT", expected(`columns.${key}`, "the name of a column", name));
  }
  return {
    columns: Object.fromEntries(columns.filter(([, name]) => name !== undefined)),
    eventTypes,
    timeUnit: options.timeUnit,
    format: options.format,
    memoryLimit: options.memoryLimit,
    skipBadRows: options.skipBadRows ?? false,
    signal: options.signal,
    note: options.onNote ?? ((text) => process.emitWarning(text, "Gru4RecNote")),
  };
}

/**
 * Reads a click log into memory. What it gives can be used again and again wherever data is asked for.
 * @throws {@link Gru4RecError} `ERR_FILE` when a file cannot be read; `ERR_DATA` when the data does not hold events,
 * with the file and line, row, column index or event index; `ERR_OUT_OF_MEMORY` when `memoryLimit` is too low;
 * `ERR_ARGUMENT`. What an iterable, a stream or `onNote` throws comes as it is.
 */
export async function readEvents<Id extends ItemId = ItemId>(
  data: DataInput<Id>,
  options: ReadOptions = {},
): Promise<EventLog<Widened<Id>>> {
  checkOptions(options, READ_OPTIONS);
  return (await readTypedEvents(data, options, undefined)) as EventLog<Widened<Id>>;
}

/**
 * Reads a click log whose events of other types only count for the gaps between sessions: their items are OTHER_TYPE.
 * @param eventTypes - Types of the events whose items matter; undefined: those of all.
 * @throws As {@link readEvents} does; `ERR_ARGUMENT` for types of a log that has been read, which has none.
 */
export async function readTypedEvents(
  data: DataInput,
  options: ReadOptions,
  eventTypes: readonly string[] | undefined,
): Promise<EventLog> {
  if (options.signal?.aborted) throw aborted(options.signal);
  return untilAborted(read(data, checkReadOptions(options, eventTypes)), options.signal);
}

async function read(data: DataInput, options: SourceOptions): Promise<EventLog> {
  let thrown: { readonly error: unknown } | undefined;
  const note = (text: string) => {
    try {
      options.note(text);
    } catch (error) {
      thrown = { error };
      throw error;
    }
  };
  try {
    return await readSource(data, { ...options, note });
  } catch (error) {
    throw thrown === undefined ? error : thrown.error;
  }
}

async function readSource(data: DataInput, options: SourceOptions): Promise<EventLog> {
  const given: unknown = data;
  if (typeof data === "string")
    return isLogFile(data) ? withoutTypes(options, () => readLog(data)) : readPaths([data], options);
  if (typeof given !== "object" || given === null) {
    const what =
      "a path, { paths }, { database, table }, { database, query }, columns { sessionId, itemId, time }, " +
      "an iterable of events { session, item, time }, an Arrow table or a stream";
    throw new Gru4RecError("ERR_ARGUMENT", expected("data", what, given));
  }
  if ("paths" in data) return readPaths(checkPaths(data), options);
  if ("database" in data) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings DuckDB, 40 MB that only files need
    const { readDatabase } = require("./sources/read-database") as typeof ReadDatabase;
    return readDatabase(checkDatabase(data), options);
  }
  if (isTextStream(data)) return readStream(data, options);
  if (isArrowTable(data)) return readArrowTable(data, options); // it can be iterated as well
  if (Symbol.asyncIterator in data || Symbol.iterator in data) return readIterable(data, options);
  return "itemIds" in data ? withoutTypes(options, () => data) : readColumns(data, options);
}

function withoutTypes<T>({ eventTypes }: SourceOptions, log: () => T): T {
  if (eventTypes === undefined) return log();
  const message = "Expected eventTypes with a log that has not been read yet: one that has knows no types of events";
  throw new Gru4RecError("ERR_ARGUMENT", message);
}

async function readPaths(paths: readonly string[], options: SourceOptions): Promise<EventLog> {
  const files: InputFile[] = [];
  for (const path of paths) files.push(...(await listFiles(path, options.format !== undefined)));
  const prepared = files.find(({ path }) => isLogFile(path));
  if (prepared !== undefined) {
    if (files.length === 1) return withoutTypes(options, () => readLog(prepared.path));
    const received = `${prepared.name} among ${files.length} files`;
    const message = `Expected a prepared log (.g4r), which is a whole one, by itself but received ${received}`;
    throw new Gru4RecError("ERR_ARGUMENT", message);
  }
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings DuckDB, 40 MB that only files need
  const { readFiles } = require("./sources/read-files") as typeof ReadFiles;
  return readFiles(files, paths.join(", "), options);
}

function checkPaths({ paths }: FileSource): readonly string[] {
  const given: unknown = paths;
  if (Array.isArray(given) && given.length > 0 && given.every((path) => typeof path === "string")) return paths;
  throw new Gru4RecError("ERR_ARGUMENT", expected("paths", "an array of paths that is not empty", given));
}

function checkDatabase(source: DatabaseSource): DatabaseSource {
  const { database, table, query } = source as Partial<TableSource & QuerySource>;
  const isText = (value: unknown) => typeof value === "string" && value !== "";
  if (!isText(database)) throw new Gru4RecError("ERR_ARGUMENT", expected("database", "the path of a file", database));
  if (isText(table) && query === undefined) return { database: database!, table: table! };
  if (isText(query) && table === undefined) return { database: database!, query: query! };
  const received = table === undefined && query === undefined ? "neither" : "something else";
  const message = `Expected the name of a table, or a query, with database but received ${received}`;
  throw new Gru4RecError("ERR_ARGUMENT", message);
}
