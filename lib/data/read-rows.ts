import type { Dialect, EventFields } from "./delimited-text";
import { readRelation } from "./duckdb/read-relation";
import { withDuckDb } from "./duckdb/session";
import type { EventLog } from "./event-log";
import type { TimeUnit } from "./event-times";

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** The SQL expression of a file's rows: columns c0, c1, … of text. */
function rowsOf(path: string, { delimiter, header }: Dialect, time: number, strict: boolean): string {
  // DuckDB would take a path for a pattern; in brackets a character stands for itself.
  const name = literal(path.replaceAll(/[*?[]/g, "[$&]"));
  const columns = header.map((_, i) => `c${i}: 'VARCHAR'`).join(", ");
  return (
    `read_csv(${name}, delim='${delimiter}', quote='"', escape='"', header=true, auto_detect=false, ` +
    `columns={${columns}}, force_not_null=['c${time}'], compression='none', strict_mode=${strict})`
  );
}

export interface RowOptions {
  /** Whether to refuse what RFC 4180 does not allow, line breaks of two kinds included. */
  readonly strict: boolean;
  /** Of times that are numbers; undefined: found out. */
  readonly timeUnit: TimeUnit | undefined;
  /** See DuckDbOptions. */
  readonly memoryLimit: string | undefined;
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
  { session, item, time, wanted }: EventFields,
  options: RowOptions,
): Promise<EventLog> {
  const relation = {
    from: rowsOf(path, dialect, time, options.strict),
    session: { sql: `c${session}`, type: "text or integer" },
    item: { sql: `c${item}`, type: "text or integer" },
    time: { sql: `c${time}`, type: "text" },
    wanted: wanted && `c${wanted.field} IN (${wanted.types.map(literal).join(", ")})`,
  } as const;
  return withDuckDb(options, (connection) => readRelation(connection, relation, options));
}
