import type { DuckDBConnection } from "@duckdb/node-api";
import { Gru4RecError, reason } from "../../errors";
import { readRelation } from "../duckdb/read-relation";
import { isIdSql, timeSql, wantedSql, type Relation } from "../duckdb/relation";
import { withDuckDb, type DuckDbOptions } from "../duckdb/session";
import type { EventLog } from "../event-log";
import type { TimeUnit } from "../event-times";
import type { RecipeName } from "./recipe-plans";

/** The rows of a data set as a relation, made of SQL of the rows of its files. */
interface RawForm {
  readonly delimiter: "," | ";";
  /** Columns that must be there, in any order; in a file without a header all of them, in its order. */
  readonly columns: readonly string[];
  readonly hasHeader: boolean;
  readonly relation: (rows: string) => Relation;
  readonly timeUnit?: TimeUnit;
}

const id = (sql: string) => ({ sql, type: "text or integer" }) as const;
const timestamp = (sql: string) => ({ sql, type: "timestamp" }) as const;
const milliseconds = (sql: string) => ({ sql, type: "number" }) as const;

const clicks = (time: string): RawForm => ({
  delimiter: ",",
  columns: ["session", "time", "item", "category"],
  hasHeader: false,
  relation: (rows) => ({ from: rows, session: id("session"), item: id("item"), time: timestamp(time) }),
});

/** Each session's rows with the day of its first one; a window of rows comes in another order than theirs. */
const withFirstDay = (rows: string) =>
  `(SELECT * FROM (SELECT *, min(date) OVER (PARTITION BY "sessionId") AS first_day FROM ` +
  `(SELECT "sessionId", "itemId", TRY_CAST(timeframe AS BIGINT) AS frame, TRY_CAST(eventdate AS DATE) AS date, ` +
  `row_number() OVER () AS place FROM ${rows})) ORDER BY place)`;

const FORMS: Readonly<Record<RecipeName, RawForm>> = {
  rsc15: clicks("TRY_CAST(time AS TIMESTAMP)"),
  yoochoose: clicks("date_trunc('second', TRY_CAST(time AS TIMESTAMP))"),
  retailrocket: {
    delimiter: ",",
    columns: ["timestamp", "visitorid", "event", "itemid"],
    hasHeader: true,
    relation: (rows) => ({
      from: rows,
      session: id("visitorid"),
      item: id("itemid"),
      time: milliseconds('TRY_CAST("timestamp" AS BIGINT)'),
      wanted: "event = 'view'",
    }),
    timeUnit: "ms",
  },
  diginetica: {
    delimiter: ";",
    columns: ["sessionId", "itemId", "timeframe", "eventdate"],
    hasHeader: true,
    relation: (rows) => ({
      from: withFirstDay(rows),
      session: id('"sessionId"'),
      item: id('"itemId"'),
      time: milliseconds("(CASE WHEN date IS NOT NULL THEN epoch_ms(first_day::TIMESTAMP) + frame END)"),
    }),
    timeUnit: "ms",
  },
  rees46: {
    delimiter: ",",
    columns: ["event_time", "event_type", "product_id", "user_id"],
    hasHeader: true,
    relation: (rows) => ({
      from: `(SELECT * FROM ${rows} WHERE event_type = 'view')`,
      session: id("user_id"),
      item: id("product_id"),
      time: timestamp("TRY_CAST(event_time AS TIMESTAMP)"),
    }),
  },
  coveo: {
    delimiter: ",",
    columns: ["session_id_hash", "product_action", "product_skus_hash", "server_timestamp_epoch_ms"],
    hasHeader: true,
    relation: (rows) => ({
      from: rows,
      session: { sql: "session_id_hash", type: "text" },
      item: { sql: "product_skus_hash", type: "text" },
      time: milliseconds("TRY_CAST(server_timestamp_epoch_ms AS BIGINT)"),
      wanted: "product_action = 'detail'",
    }),
    timeUnit: "ms",
  },
};

const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
/** In brackets a character stands for itself; DuckDB would take a path for a pattern. */
const literal = (path: string) => text(path.replaceAll(/[*?[]/g, "[$&]"));

/** The names in a file's first line. */
async function headerOf(connection: DuckDBConnection, file: string, delimiter: string): Promise<string[]> {
  const whole = "delim='\u0001', quote='', escape='', header=false, auto_detect=false, columns={line: 'VARCHAR'}";
  const result = await connection.runAndReadAll(`SELECT line FROM read_csv(${literal(file)}, ${whole}) LIMIT 1`);
  const line = (result.getRows()[0]?.[0] ?? "") as string;
  return line.replace("\ufeff", "").split(delimiter).map((name) => name.replace(/^"(.*)"$/, "$1")); // prettier-ignore
}

/** SQL of the rows of files, all of text. */
async function rowsOf(
  connection: DuckDBConnection,
  files: readonly string[],
  { delimiter, columns, hasHeader }: RawForm,
): Promise<string> {
  let names = columns;
  for (const file of hasHeader ? files : []) {
    const header = await headerOf(connection, file, delimiter);
    const missing = columns.filter((column) => !header.includes(column));
    const found = `found: ${header.join(", ")}`;
    if (missing.length > 0)
      throw new Gru4RecError("ERR_DATA", `Expected the columns ${columns.join(", ")} in ${file}; ${found}`);
    if (file !== files[0] && String(header) !== String(names))
      throw new Gru4RecError(
        "ERR_DATA",
        `Expected the columns ${names.join(", ")} of ${files[0]} in ${file}; ${found}`,
      );
    names = header;
  }
  const types = names.map((name) => `${quoted(name)}: 'VARCHAR'`).join(", ");
  return (
    `read_csv([${files.map(literal).join(", ")}], delim='${delimiter}', quote='"', escape='"', header=${hasHeader}, ` +
    `auto_detect=false, columns={${types}}, strict_mode=true)`
  );
}

/** @throws An error without a place, or of DuckDB, where nothing better can be said. */
export async function readRawRelation(
  recipe: RecipeName,
  files: readonly string[],
  { memoryLimit, signal }: DuckDbOptions,
): Promise<EventLog> {
  const form = FORMS[recipe];
  const relationOf = async (connection: DuckDBConnection, paths: readonly string[]) =>
    form.relation(await rowsOf(connection, paths, form));
  return withDuckDb({ memoryLimit, signal }, async (connection) => {
    try {
      const relation = await relationOf(connection, files);
      return await readRelation(connection, relation, { timeUnit: form.timeUnit, signal });
    } catch (error) {
      if (signal?.aborted || error instanceof Gru4RecError) throw error;
      for (const file of files) await refuseBadRow(connection, await relationOf(connection, [file]), file);
      throw error;
    }
  });
}

/**
 * Looks for the first row of a file that cannot be an event, for the message of an error.
 * @throws {@link Gru4RecError} `ERR_DATA` that names it; rows are counted from 1, without the header.
 */
async function refuseBadRow(connection: DuckDBConnection, relation: Relation, file: string): Promise<void> {
  const { from, session, item, time } = relation;
  const seconds = timeSql(time.sql, time.type);
  const faults = {
    session: `NOT ${isIdSql(session.sql, session.type)}`,
    item: `${wantedSql(relation)} AND NOT ${isIdSql(item.sql, item.type)}`,
    time: `NOT coalesce(isfinite(${seconds}) AND ${seconds} >= 0, false)`,
  };
  const refusal = (message: string, cause?: unknown) => new Gru4RecError("ERR_DATA", message, { cause });
  let row: unknown[] | undefined;
  try {
    const cases = Object.entries(faults).map(([name, fault]) => `WHEN ${fault} THEN '${name}'`);
    const result = await connection.runAndReadAll(
      `SELECT place, fault FROM (SELECT row_number() OVER () AS place, CASE ${cases.join(" ")} END AS fault FROM ${from}) ` +
        "WHERE fault IS NOT NULL ORDER BY place LIMIT 1",
    );
    row = result.getRows()[0];
  } catch (error) {
    const [, line] = /CSV Error on Line: (\d+)/.exec(String(error)) ?? [];
    const [, fields] = /^Expected Number of Columns: (.*)$/m.exec(String(error)) ?? [];
    if (line === undefined) throw refusal(`${reason(error)} in ${file}`, error);
    const what = fields === undefined ? "a whole row" : `so many fields: ${fields.replace(" Found", ", found")}`;
    throw refusal(`Expected line ${line} of ${file} to be ${what}`, error);
  }
  if (row === undefined) return;
  const what = { session: "a session id", item: "an item id", time: "a time" }[row[1] as keyof typeof faults];
  throw refusal(`Expected row ${String(row[0])} of ${file} to have ${what} but it has none`);
}
