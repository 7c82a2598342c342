import { DuckDBInstance } from "@duckdb/node-api";

/** Runs statements in a DuckDB of their own, which writes files for tests. */
export async function runSql(...statements: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  for (const statement of statements) await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
}
