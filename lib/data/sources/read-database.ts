import { Gru4RecError } from "../../errors";
import type { EventLog } from "../event-log";
import type { DatabaseSource } from "./database-source";
import { readDuckDbDatabase } from "./duckdb-database";
import { checkReadable, readHead } from "./files";
import type { SourceOptions } from "./options";
import { readSqliteDatabase } from "./sqlite-database";
import { readByDuckDb } from "./with-duckdb";

/**
 * Reads a database; its first bytes say what it is.
 * @throws {@link Gru4RecError} `ERR_FILE`, `ERR_DATA`
 */
export async function readDatabase(source: DatabaseSource, options: SourceOptions): Promise<EventLog> {
  const { database } = source;
  const file = { path: database, name: database };
  await checkReadable([file]);
  const head = (await readHead(file, 16)).toString("latin1");
  const name = "table" in source ? `the table ${source.table} of ${database}` : `the query's result in ${database}`;
  if (head === "SQLite format 3\0") return readSqliteDatabase(source, name, options);
  if (head.slice(8, 12) === "DUCK")
    return readByDuckDb(name, options, (connection) => readDuckDbDatabase(connection, source, name, options));
  throw new Gru4RecError("ERR_FILE", `Expected ${database} to be a DuckDB or SQLite file but it is neither`);
}
