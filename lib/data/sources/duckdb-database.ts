import type { DuckDBConnection } from "@duckdb/node-api";
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
  await connection.run(`ATTACH ${textSql(database)} AS source (READ_ONLY)`).catch((error: unknown) => {
    if (hasPlace(error)) throw error;
    const message = `Expected ${database} to be a readable DuckDB file but ${duckDbReason(error)}`;
    throw new Gru4RecError("ERR_FILE", message, { cause: error });
  });
  await connection.run("USE source"); // for names in queries and views
  const from =
    "table" in source
      ? await findTable(connection, source.table, database)
      : await takeQuery(connection, source.query, name);
  const table = { from, name };
  const types = await columnTypes(connection, table);
  const names = chooseColumns([...types.keys()], name, options);
  return readTable(connection, table, [table], types, names, options);
}

/** SQL of a table or view. */
async function findTable(connection: DuckDBConnection, wanted: string, database: string): Promise<string> {
  const reader = await connection.runAndReadAll(
    "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'source' " +
      "UNION ALL SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = 'source' AND NOT internal ORDER BY ALL",
  );
  const tables = reader.getRows().map(([schema, table]) => ({ schema: schema as string, table: table as string }));
  const shortName = ({ schema, table }: (typeof tables)[number]) => (schema === "main" ? table : `${schema}.${table}`);
  const found = tables.find((entry) => shortName(entry) === wanted);
  if (found !== undefined) return `source.${nameSql(found.schema)}.${nameSql(found.table)}`;
  const received = tables.length === 0 ? "it has none" : `it has ${tables.map(shortName).join(", ")}`;
  throw new Gru4RecError("ERR_DATA", `Expected a table ${wanted} in ${database} but ${received}`);
}

/** Keeps the result of a query: it is read several times, and the next time it might be another. @returns SQL of it */
async function takeQuery(connection: DuckDBConnection, query: string, name: string): Promise<string> {
  try {
    // The line break ends a comment.
    await connection.run(`CREATE TABLE memory.main.query_rows AS (${query.trim().replace(/;$/, "")}\n)`);
  } catch (error) {
    if (hasPlace(error)) throw error;
    throw new Gru4RecError("ERR_DATA", `Expected ${name} but ${duckDbReason(error)}`, { cause: error });
  }
  return "memory.main.query_rows";
}
