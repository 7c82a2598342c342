import type { DuckDBConnection } from "@duckdb/node-api";
import { Gru4RecError, shorten } from "../../errors";
import { isIdSql, timeSql, wantedSql, type IdColumnType, type Relation, type TimeColumnType } from "../duckdb/relation";
import { isOneOfSql, nameSql } from "../duckdb/sql";
import type { EventLog } from "../event-log";
import { VALID_TIMES } from "../event-times";
import type { ChosenColumns } from "./column-names";
import type { SourceOptions } from "./options";
import { hasPlace, readEventsOf, withName } from "./read-named";
import { SkippedRows } from "../skipped-rows";

/** A table, or a part of one. */
export interface Table {
  /** SQL of its rows. */
  readonly from: string;
  /** What messages call it. */
  readonly name: string;
}

/** The types of a table's columns by their names. */
export async function columnTypes(connection: DuckDBConnection, { from }: Table): Promise<ReadonlyMap<string, string>> {
  const reader = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`);
  return new Map(reader.getRows().map(([column, type]) => [column as string, type as string]));
}

const INTEGER = /^(TINY|SMALL|BIG|UTINY|USMALL|)INT$|^U?INTEGER$/;
/** They are taken as text where one does not fit into 64 bits. */
const LONG_INTEGER = /^(UBIGINT|U?HUGEINT|DECIMAL\(\d+,0\))$/;
const TEXT = /^(VARCHAR|UUID|ENUM\(.*\))$/s;
const NUMBER = /^(FLOAT|DOUBLE|DECIMAL\(.*\))$/;
const TIMESTAMP = /^(DATE|TIMESTAMP(_S|_MS|_NS)?)$/;
const TIMESTAMP_WITH_ZONE = "TIMESTAMP WITH TIME ZONE";

/**
 * The columns of an event in a table, as relations have them.
 * @throws {@link Gru4RecError} `ERR_DATA` for columns of a type that no id or time has.
 */
export function relationOf(
  types: ReadonlyMap<string, string>,
  names: ChosenColumns,
  { from, name }: Table,
  eventTypes: readonly string[] | undefined,
): Relation {
  const refuse = (column: string, what: string) => {
    const message = `Expected ${column} in ${name} to hold ${what} but it holds ${shorten(types.get(column)!)}`;
    return new Gru4RecError("ERR_DATA", message);
  };
  const id = (column: string): { sql: string; type: IdColumnType } => {
    const [type, sql] = [types.get(column)!, nameSql(column)];
    if (INTEGER.test(type)) return { sql, type: "integer" };
    if (LONG_INTEGER.test(type)) return { sql: `${sql}::VARCHAR`, type: "text or integer" };
    if (TEXT.test(type)) return { sql: `${sql}::VARCHAR`, type: "text" };
    throw refuse(column, "integers, text or UUIDs");
  };
  const time = (column: string): { sql: string; type: TimeColumnType } => {
    const [type, sql] = [types.get(column)!, nameSql(column)];
    if (INTEGER.test(type) || LONG_INTEGER.test(type) || NUMBER.test(type)) return { sql, type: "number" };
    if (type === TIMESTAMP_WITH_ZONE) return { sql, type: "timestamp" };
    if (TIMESTAMP.test(type)) return { sql: `${sql}::TIMESTAMP`, type: "timestamp" };
    if (TEXT.test(type)) return { sql: `${sql}::VARCHAR`, type: "text" };
    throw refuse(column, "numbers, timestamps, dates or ISO 8601 text");
  };
  return {
    from,
    session: id(names.sessionId),
    item: id(names.itemId),
    time: time(names.time),
    wanted: names.eventType && isOneOfSql(`${nameSql(names.eventType)}::VARCHAR`, eventTypes!),
  };
}

/**
 * Reads a table.
 * @param parts - The tables of which it consists, in their order: a file each.
 * @throws {@link Gru4RecError} `ERR_DATA` for rows that are no events, with the part and the row; what DuckDB fails with.
 */
export async function readTable(
  connection: DuckDBConnection,
  table: Table,
  parts: readonly Table[],
  types: ReadonlyMap<string, string>,
  names: ChosenColumns,
  options: SourceOptions,
): Promise<EventLog> {
  const relation = relationOf(types, names, table, options.eventTypes);
  try {
    return await readEventsOf(connection, relation, table.name, options);
  } catch (error) {
    if (options.signal?.aborted || hasPlace(error)) throw error;
    return withName(table.name, async () => {
      const time = await timeKind(connection, relation);
      if (options.skipBadRows) {
        const skipped = new SkippedRows();
        for (const part of parts) await findBadRows(connection, { ...relation, from: part.from }, part.name, names, time, skipped); // prettier-ignore
        skipped.report(table.name, options.note);
        const events = `(SELECT * FROM ${table.from} WHERE ${isEventSql(relation, time)})`;
        return readEventsOf(connection, { ...relation, from: events }, table.name, options);
      }
      for (const part of parts) {
        const skipped = new SkippedRows();
        await findBadRows(connection, { ...relation, from: part.from }, part.name, names, time, skipped);
        if (skipped.first !== undefined) throw new Gru4RecError("ERR_DATA", skipped.first, { cause: error });
      }
      throw error;
    });
  }
}

/** SQL of a row's time, which is none where it is null, NaN, infinite or below 0. */
type TimeSql = Parameters<typeof timeSql>[1];

const isTimeSql = (time: string, type: TimeSql) =>
  `coalesce(isfinite(${timeSql(time, type)}) AND ${timeSql(time, type)} >= 0, false)`;

function isEventSql(relation: Relation, timeType: TimeSql): string {
  const { session, time } = relation;
  return `${isIdSql(session.sql, session.type)} AND ${hasItemSql(relation)} AND ${isTimeSql(time.sql, timeType)}`;
}

const hasItemSql = (relation: Relation) =>
  `(NOT ${wantedSql(relation)} OR ${isIdSql(relation.item.sql, relation.item.type)})`;

/** What the times of a column are: of text, what most of them are. */
async function timeKind(connection: DuckDBConnection, { from, time }: Relation): Promise<TimeSql> {
  if (time.type !== "text") return time.type;
  const count = (type: TimeSql) => `count_if(${isTimeSql(time.sql, type)})`;
  const reader = await connection.runAndReadAll(`SELECT ${count("text")} >= ${count("ISO 8601")} FROM ${from}`);
  return reader.getRows()[0]![0] === true ? "text" : "ISO 8601";
}

/** Counts the rows that are no events, and says of the first ones why. */
async function findBadRows(
  connection: DuckDBConnection,
  relation: Relation,
  name: string,
  names: ChosenColumns,
  timeType: TimeSql,
  skipped: SkippedRows,
): Promise<void> {
  const { from, session, item, time } = relation;
  const rows =
    `SELECT row_number() OVER () AS row, (${session.sql})::VARCHAR AS session, ${isIdSql(session.sql, session.type)} AS has_session, ` +
    `(${item.sql})::VARCHAR AS item, ${hasItemSql(relation)} AS has_item, ` +
    `(${time.sql})::VARCHAR AS time, ${isTimeSql(time.sql, timeType)} AS has_time FROM ${from}`;
  const bad = `FROM (${rows}) WHERE NOT (has_session AND has_item AND has_time)`;
  const first = await connection.runAndReadAll(
    `SELECT row::DOUBLE, session, has_session, item, has_item, time ${bad} ORDER BY row LIMIT ${SkippedRows.mostShown}`,
  );
  const total = await connection.runAndReadAll(`SELECT count(*)::DOUBLE ${bad}`);
  const shown = first.getRows() as [number, string | null, boolean, string | null, boolean, string | null][];
  for (const [row, sessionId, hasSession, itemId, hasItem, timeText] of shown) {
    const expect = (column: string, what: string, value: string | null) =>
      `Expected ${column} in row ${row} to be ${what} but received ${shorten(JSON.stringify(value))} in ${name}`;
    if (!hasSession) skipped.add(expect(names.sessionId, "an id", sessionId));
    else if (!hasItem) skipped.add(expect(names.itemId, "an id", itemId));
    else skipped.add(expect(names.time, VALID_TIMES_OF[timeType], timeText));
  }
  skipped.addUnseen((total.getRows()[0]![0] as number) - shown.length);
}

const VALID_TIMES_OF: Readonly<Record<TimeSql, string>> = {
  number: VALID_TIMES.number,
  text: VALID_TIMES.number,
  "ISO 8601": VALID_TIMES.text,
  timestamp: "a timestamp from 1970 on",
};
