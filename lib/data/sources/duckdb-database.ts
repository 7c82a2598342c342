import type { DuckDBConnection } from "@duckdb/node-api";
import { basename } from "node:path";
import { Gru4RecError } from "../../errors";
import { duckDbReason } from "../duckdb/failures";
import { nameSql, textSql } from "../duckdb/sql";
import type { EventLog } from "../event-log";
import { chooseColumns } from "./column-names";
import type { SourceOptions } from "./options";
import type { DatabaseSource } from "./database-source";
import { hasPlace } from "./read-named";
import { columnTypes, readTable } from "./tables";

/**
 * Reads a DuckDB file, which nobody may have open for writing.
 * @param name - What messages call the table or query.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be opened, `ERR_DATA`; what DuckDB fails with.
 */
export async function readDuckDbDatabase(
  connection: DuckDBConnection,
  source: DatabaseSource,
  name: string,
  options: SourceOptions,
): Promise<EventLog> {
  const { database } = source;
  const catalog = await attach(connection, database);
  await connection.run(`USE ${nameSql(catalog)}`); // for names in queries and views
  const from =
    "table" in source
      ? await findTable(connection, source.table, catalog, database)
      : await takeQuery(connection, source.query, name);
  const table = { from, name };
  const types = await columnTypes(connection, table);
  const names = chooseColumns([...types.keys()], name, options);
  return readTable(connection, table, [table], types, names, options);
}

/** What DuckDB calls its own database in memory. */
const OWN = "memory";

/**
 * Attaches a file under the name that DuckDB gives it by its path, which its views may use: the file's name up to the
 * first dot, mostly.
 * @returns The name.
 */
async function attach(connection: DuckDBConnection, database: string): Promise<string> {
  if (basename(database).split(".")[0]!.toLowerCase() === OWN) {
    await connection.run("ATTACH ':memory:' AS other"); // the file takes the name
    await connection.run("USE other");
    await connection.run(`DETACH ${OWN}`);
  }
  await connection.run(`ATTACH ${textSql(database)} (READ_ONLY)`).catch((error: unknown) => {
    if (hasPlace(error)) throw error;
    const message = `Expected ${database} to be a readable DuckDB file but ${duckDbReason(error)}`;
    throw new Gru4RecError("ERR_FILE", message, { cause: error });
  });
  const reader = await connection.runAndReadAll("SELECT database_name FROM duckdb_databases() WHERE path IS NOT NULL");
  return reader.getRows()[0]![0] as string;
}

/** SQL of a table or view. @param catalog - What DuckDB calls the file. */
async function findTable(
  connection: DuckDBConnection,
  wanted: string,
  catalog: string,
  database: string,
): Promise<string> {
  const here = `database_name = ${textSql(catalog)}`;
  const reader = await connection.runAndReadAll(
    `SELECT schema_name, table_name FROM duckdb_tables() WHERE ${here} ` +
      `UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE ${here} AND NOT internal ORDER BY ALL`,
  );
  const tables = reader.getRows().map(([schema, table]) => ({ schema: schema as string, table: table as string }));
  const shortName = ({ schema, table }: (typeof tables)[number]) => (schema === "main" ? table : `${schema}.${table}`);
  const found = tables.find((entry) => shortName(entry) === wanted);
  if (found !== undefined) return [catalog, found.schema, found.table].map(nameSql).join(".");
  const received = tables.length === 0 ? "it has none" : `it has ${tables.map(shortName).join(", ")}`;
  throw new Gru4RecError("ERR_DATA", `Expected a table ${wanted} in ${database} but ${received}`);
}

/** Keeps the result of a query: it is read several times, and the next time it might be another. @returns SQL of it */
async function takeQuery(connection: DuckDBConnection, query: string, name: string): Promise<string> {
  try {
    // The line break ends a comment.
    await connection.run(`CREATE TEMP TABLE query_rows AS (${query.trim().replace(/;$/, "")}\n)`);
  } catch (error) {
    if (hasPlace(error)) throw error;
    throw new Gru4RecError("ERR_DATA", `Expected ${name} but ${duckDbReason(error)}`, { cause: error });
  }
  return "temp.main.query_rows";
}
