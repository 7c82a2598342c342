import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import type { Dialect } from "./delimited-text";
import { IdNumbering, type EventLog } from "./event-log";
import type { IdKind, ItemId } from "./ids";

/** A file needs little, and what DuckDB takes counts as ours. One thread keeps the rows in order. */
const DUCKDB_OPTIONS = { threads: "1", memory_limit: "128MB", temp_directory: "" };
/** Bytes that DuckDB reads at once. */
const BUFFER_BYTES = 1 << 20;

const SQL_TYPES: Readonly<Record<IdKind, string>> = { number: "DOUBLE", bigint: "BIGINT", string: "VARCHAR" };

/** The SQL expression of a file's rows: columns c0, c1, …, the time as a DOUBLE, all others as text. */
function rowsOf(path: string, { delimiter, header }: Dialect, time: number): string {
  // DuckDB would take a path for a pattern; in brackets a character stands for itself.
  const literal = path.replaceAll("'", "''").replaceAll(/[*?[]/g, "[$&]");
  const columns = header.map((_, i) => `c${i}: '${i === time ? "DOUBLE" : "VARCHAR"}'`).join(", ");
  return (
    `read_csv('${literal}', delim='${delimiter}', quote='"', escape='"', header=true, auto_detect=false, ` +
    `columns={${columns}}, force_not_null=['c${time}'], compression='none', buffer_size=${BUFFER_BYTES})`
  );
}

/** The kind of a text column: number if all are canonical safe integers, bigint if all are int64, else string. */
function kindOf(column: string): string {
  const canonical = `coalesce(TRY_CAST(${column} AS BIGINT)::VARCHAR = ${column}, false)`;
  const safe = `coalesce(TRY_CAST(${column} AS BIGINT) BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}, false)`;
  return `CASE WHEN NOT bool_and(${canonical}) THEN 'string' WHEN bool_and(${safe}) THEN 'number' ELSE 'bigint' END`;
}

/** Where the columns of an event are among the fields of a file. */
export interface EventFields {
  readonly session: number;
  readonly item: number;
  readonly time: number;
}

/**
 * Reads the rows of a TSV or CSV file with a header, by DuckDB.
 * @throws An error without line number for rows that are no events.
 */
export async function readRows(
  path: string,
  dialect: Dialect,
  { session, item, time }: EventFields,
): Promise<EventLog> {
  const instance = await DuckDBInstance.create(":memory:", DUCKDB_OPTIONS);
  try {
    const connection = await instance.connect();
    try {
      return await query(connection, rowsOf(path, dialect, time), [`c${session}`, `c${item}`, `c${time}`]);
    } finally {
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
): Promise<EventLog> {
  // One pass to count and to find the kinds of the ids, one to read: so each event needs 16 bytes from the start.
  const summary = await connection.runAndReadAll(
    `SELECT count(*)::DOUBLE, count(*) FILTER (${session} IS NULL OR ${item} IS NULL OR NOT isfinite(${time})) = 0, ` +
      `${kindOf(session)}, ${kindOf(item)} FROM ${rows}`,
  );
  const [count, valid, sessionKind, itemKind] = summary.getRows()[0] as [number, boolean, IdKind, IdKind];
  if (count === 0) throw new Error("Expected events after the header but there are none");
  if (!valid) throw new Error("Expected ids and finite times");

  const sessionNumbers = new IdNumbering(sessionKind);
  const itemNumbers = new IdNumbering(itemKind);
  const sessions = new Int32Array(count);
  const items = new Int32Array(count);
  const times = new Float64Array(count);
  const result = await connection.stream(
    `SELECT ${session}::${SQL_TYPES[sessionKind]}, ${item}::${SQL_TYPES[itemKind]}, ${time} FROM ${rows}`,
  );
  let event = 0;
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    const sessionIds = chunk.getColumnVector(0);
    const itemIds = chunk.getColumnVector(1);
    const timeValues = chunk.getColumnVector(2);
    for (let i = 0; i < chunk.rowCount; ++i, ++event) {
      sessions[event] = sessionNumbers.numberOf(sessionIds.getItem(i) as ItemId);
      items[event] = itemNumbers.numberOf(itemIds.getItem(i) as ItemId);
      times[event] = timeValues.getItem(i) as number;
    }
  }
  if (event !== count) throw new Error(`Expected ${count} events as counted before but received ${event}`);
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
