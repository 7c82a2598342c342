import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import type { Dialect, EventFields } from "./delimited-text";
import { IdNumbering, type EventLog } from "./event-log";
import { parseIsoTime, scaleToSeconds, type TimeUnit } from "./event-times";
import type { IdKind, ItemId } from "./ids";

/** A file needs little, and what DuckDB takes counts as ours. One thread keeps the rows in order. */
const DUCKDB_OPTIONS = { threads: "1", memory_limit: "128MB", temp_directory: "" };
/** Bytes that DuckDB reads at once. */
const BUFFER_BYTES = 1 << 20;

const SQL_TYPES: Readonly<Record<IdKind, string>> = { number: "DOUBLE", bigint: "BIGINT", string: "VARCHAR" };

/** The SQL expression of a file's rows: columns c0, c1, … of text. */
function rowsOf(path: string, { delimiter, header }: Dialect, time: number, strict: boolean): string {
  // DuckDB would take a path for a pattern; in brackets a character stands for itself.
  const literal = path.replaceAll("'", "''").replaceAll(/[*?[]/g, "[$&]");
  const columns = header.map((_, i) => `c${i}: 'VARCHAR'`).join(", ");
  return (
    `read_csv('${literal}', delim='${delimiter}', quote='"', escape='"', header=true, auto_detect=false, ` +
    `columns={${columns}}, force_not_null=['c${time}'], compression='none', ` +
    `strict_mode=${strict}, buffer_size=${BUFFER_BYTES})`
  );
}

/** The kind of a text column: number if all are canonical safe integers, bigint if all are int64, else string. */
function kindOf(column: string): string {
  const canonical = `coalesce(TRY_CAST(${column} AS BIGINT)::VARCHAR = ${column}, false)`;
  const safe = `coalesce(TRY_CAST(${column} AS BIGINT) BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}, false)`;
  return `CASE WHEN NOT bool_and(${canonical}) THEN 'string' WHEN bool_and(${safe}) THEN 'number' ELSE 'bigint' END`;
}

export interface RowOptions {
  /** Whether to refuse what RFC 4180 does not allow, line breaks of two kinds included. */
  readonly strict: boolean;
  /** Of times that are numbers; undefined: found out. */
  readonly timeUnit: TimeUnit | undefined;
  /** Stops reading; what is thrown then is DuckDB's. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads the rows of a TSV or CSV file with a header, by DuckDB.
 * @throws An error without line number for rows that are no events.
 */
export async function readRows(
  path: string,
  dialect: Dialect,
  { session, item, time }: EventFields,
  options: RowOptions,
): Promise<EventLog> {
  const instance = await DuckDBInstance.create(":memory:", DUCKDB_OPTIONS);
  try {
    const connection = await instance.connect();
    const interrupt = () => connection.interrupt();
    options.signal?.addEventListener("abort", interrupt, { once: true });
    try {
      const rows = rowsOf(path, dialect, time, options.strict);
      return await query(connection, rows, [`c${session}`, `c${item}`, `c${time}`], options);
    } finally {
      options.signal?.removeEventListener("abort", interrupt);
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

/** @param columns - SQL names of session, item and time. */
async function query(
  connection: DuckDBConnection,
  rows: string,
  [session, item, time]: readonly [string, string, string],
  { timeUnit, signal }: RowOptions,
): Promise<EventLog> {
  // One pass to count and to find the kinds of the columns, one to read: so each event needs 16 bytes from the start.
  const number = `TRY_CAST(${time} AS DOUBLE)`;
  const summary = await connection.runAndReadAll(
    `SELECT count(*)::DOUBLE, count(*) FILTER (coalesce(${session}, '') = '' OR coalesce(${item}, '') = '') = 0, ` +
      `bool_and(coalesce(isfinite(${number}), false)), ${kindOf(session)}, ${kindOf(item)} FROM ${rows}`,
  );
  const [count, haveIds, timesAreNumbers, sessionKind, itemKind] = summary.getRows()[0] as [
    number,
    boolean,
    boolean,
    IdKind,
    IdKind,
  ];
  if (count === 0) throw new Error("Expected events after the header but there are none");
  if (!haveIds) throw new Error("Expected ids");

  const sessionNumbers = new IdNumbering(sessionKind);
  const itemNumbers = new IdNumbering(itemKind);
  const sessions = new Int32Array(count);
  const items = new Int32Array(count);
  const times = new Float64Array(count);
  const result = await connection.stream(
    `SELECT ${session}::${SQL_TYPES[sessionKind]}, ${item}::${SQL_TYPES[itemKind]}, ${timesAreNumbers ? number : time} FROM ${rows}`,
  );
  let event = 0;
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    signal?.throwIfAborted();
    const sessionIds = chunk.getColumnVector(0);
    const itemIds = chunk.getColumnVector(1);
    const timeValues = chunk.getColumnVector(2);
    for (let i = 0; i < chunk.rowCount; ++i, ++event) {
      sessions[event] = sessionNumbers.numberOf(sessionIds.getItem(i) as ItemId);
      items[event] = itemNumbers.numberOf(itemIds.getItem(i) as ItemId);
      const time = timeValues.getItem(i) as number | string;
      times[event] = typeof time === "number" ? time : (parseIsoTime(time) ?? NaN);
      if (!(times[event]! >= 0)) throw new Error("Expected times from 0 on");
    }
  }
  if (event !== count) throw new Error(`Expected ${count} events as counted before but received ${event}`);
  if (timesAreNumbers) scaleToSeconds(times, timeUnit);
  return {
    itemKind,
    itemIds: itemNumbers.ids(),
    sessionKind,
    sessionIds: sessionNumbers.ids(),
    items,
    sessions,
    times,
  };
}
