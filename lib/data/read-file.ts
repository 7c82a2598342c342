import { aborted, Gru4RecError, reason } from "../errors";
import { findBadRow, readDialect } from "./delimited-text";
import type { EventLog } from "./event-log";
import type { TimeUnit } from "./event-times";
import type * as ReadRows from "./read-rows";

/** What the header of a file calls the columns of an event. */
export interface ColumnNames {
  /** Default `SessionId`. */
  readonly sessionId: string;
  /** Default `ItemId`. */
  readonly itemId: string;
  /** Default `Time`. */
  readonly time: string;
  /** Default `EventType`. Only {@link prepare} with `eventTypes` looks at it. */
  readonly eventType: string;
}

/** The names of the public data sets. */
export const COLUMN_NAMES: ColumnNames = {
  sessionId: "SessionId",
  itemId: "ItemId",
  time: "Time",
  eventType: "EventType",
};

export interface FileOptions {
  readonly columns: ColumnNames;
  readonly timeUnit: TimeUnit | undefined;
  readonly memoryLimit: string | undefined;
  /** Types of the events whose items matter; undefined: those of all, and no column has the type. */
  readonly eventTypes: readonly string[] | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads a TSV or CSV file with a header.
 * @param name - What messages call it.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_DATA` when it does not hold events.
 */
export async function readFile(path: string, name: string, options: FileOptions): Promise<EventLog> {
  const { signal, eventTypes } = options;
  const { eventType, ...needed } = options.columns;
  const columns = eventTypes === undefined ? needed : { ...needed, eventType };
  const dialect = await readDialect(path, name);
  const fieldOf = (column: keyof ColumnNames) => dialect.header.indexOf(options.columns[column]);
  const fields = {
    session: fieldOf("sessionId"),
    item: fieldOf("itemId"),
    time: fieldOf("time"),
    wanted: eventTypes && { field: fieldOf("eventType"), types: eventTypes },
  };
  if (Object.values(columns).some((column) => !dialect.header.includes(column)))
    throw missingColumns(dialect.header, columns, name);

  // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings DuckDB, 40 MB that only files need
  const { readRows } = require("./read-rows") as typeof ReadRows;
  const refusal = (why: string, cause: unknown) => new Gru4RecError("ERR_DATA", `${why} in ${name}`, { cause });
  try {
    return await readRows(path, dialect, fields, { ...options, strict: true });
  } catch (error) {
    if (signal?.aborted) throw aborted(signal);
    const bad = await findBadRow(path, dialect, fields);
    if (bad !== undefined) throw refusal(bad, error);
  }
  // All rows are fine. Line breaks of two kinds are what only the strict mode minds.
  try {
    return await readRows(path, dialect, fields, { ...options, strict: false });
  } catch (error) {
    throw refusal(reason(error), error);
  }
}

function missingColumns(header: readonly string[], columns: Partial<ColumnNames>, name: string): Gru4RecError {
  const names = Object.entries(columns) as [keyof ColumnNames, string][];
  const missing = names.filter(([, column]) => !header.includes(column));
  const list = (entries: typeof names) => entries.map(([, column]) => column).join(", ");
  const option = `columns: { ${missing.map(([key]) => `${key}: "…"`).join(", ")} }`;
  const message =
    `Expected the columns ${list(names)} in ${name} but ${list(missing)} ${missing.length > 1 ? "are" : "is"} missing; ` +
    `found: ${header.join(", ")}; the option ${option} gives other names`;
  return new Gru4RecError("ERR_DATA", message);
}
