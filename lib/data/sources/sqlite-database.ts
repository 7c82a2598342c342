import { setImmediate } from "node:timers/promises";
import { aborted, Gru4RecError, reason } from "../../errors";
import type { EventLog } from "../event-log";
import { EventLogBuilder } from "../log-builder";
import { withSmallestKinds } from "../narrow-ids";
import { chooseColumns } from "./column-names";
import { isWanted, type SourceOptions } from "./options";
import { loadPeer } from "./peer";
import type { DatabaseSource } from "./database-source";

// What is used of better-sqlite3.

interface Statement {
  columns(): { readonly name: string }[];
  /** Rows come as arrays. */
  raw(): Statement;
  /** Integers come as bigints. */
  safeIntegers(): Statement;
  iterate(): IterableIterator<readonly unknown[]>;
}

interface Database {
  prepare(sql: string): Statement;
  close(): void;
}

type DatabaseClass = new (path: string, options: { readonly: true; fileMustExist: true }) => Database;

/** Rows after which others have their turn. */
const PIECE = 10_000;

/**
 * Reads a SQLite file by the package better-sqlite3.
 * @param name - What messages call the table or query.
 * @throws {@link Gru4RecError} `ERR_FILE` without the package or when the file cannot be opened, `ERR_DATA`.
 */
export async function readSqliteDatabase(
  source: DatabaseSource,
  name: string,
  options: SourceOptions,
): Promise<EventLog> {
  const { timeUnit, eventTypes, skipBadRows, signal, note } = options;
  const { database: path } = source;
  const Sqlite = loadPeer("better-sqlite3", `read the SQLite file ${path}`) as DatabaseClass;
  const database = open(Sqlite, path);
  try {
    const statement = attempt(() => database.prepare(sqlOf(source)).raw().safeIntegers(), name);
    const found = attempt(() => statement.columns(), name).map((column) => column.name);
    const names = chooseColumns(found, name, options);
    const [session, item, time] = [names.sessionId, names.itemId, names.time].map((column) => found.indexOf(column)) as [number, number, number]; // prettier-ignore
    const type = found.indexOf(names.eventType ?? "");
    const columnOf = { session: names.sessionId, item: names.itemId, time: names.time };
    const builder = new EventLogBuilder((field, row) => `${columnOf[field]} in row ${row + 1} of ${name}`, PIECE, skipBadRows); // prettier-ignore
    const rows = attempt(() => statement.iterate(), name);
    try {
      let count = 0;
      for (let next = attempt(() => rows.next(), name); !next.done; next = attempt(() => rows.next(), name)) {
        const row = next.value;
        builder.add(row[session], row[item], row[time], isWanted(row[type], eventTypes));
        if (++count % PIECE > 0) continue;
        await setImmediate();
        if (signal?.aborted) throw aborted(signal);
      }
    } finally {
      rows.return?.(); // a database whose rows are still being read cannot be closed
    }
    builder.skipped.report(name, note);
    return withSmallestKinds(await builder.build(timeUnit, signal, name));
  } finally {
    database.close();
  }
}

function open(Sqlite: DatabaseClass, path: string): Database {
  try {
    return new Sqlite(path, { readonly: true, fileMustExist: true });
  } catch (error) {
    const message = `Expected ${path} to be a readable SQLite file but ${reason(error)}`;
    throw new Gru4RecError("ERR_FILE", message, { cause: error });
  }
}

function sqlOf(source: DatabaseSource): string {
  if ("query" in source) return source.query;
  const quoted = source.table.split(".").map((part) => `"${part.replaceAll('"', '""')}"`);
  return `SELECT * FROM ${quoted.join(".")}`;
}

/** What SQLite fails with says nothing of the data. */
function attempt<T>(call: () => T, name: string): T {
  try {
    return call();
  } catch (error) {
    throw new Gru4RecError("ERR_DATA", `Expected ${name} but ${reason(error)}`, { cause: error });
  }
}
