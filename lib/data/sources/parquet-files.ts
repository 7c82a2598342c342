import type { DuckDBConnection } from "@duckdb/node-api";
import { Gru4RecError } from "../../errors";
import { duckDbReason } from "../duckdb/failures";
import { pathsSql } from "../duckdb/sql";
import type { EventLog } from "../event-log";
import { chooseColumns, type ChosenColumns } from "./column-names";
import { checkReadable, type InputFile } from "./files";
import type { SourceOptions } from "./options";
import { hasPlace } from "./read-named";
import { columnTypes, readTable, type Table } from "./tables";

/**
 * Reads Parquet files whose columns have the same names and types.
 * @param name - What messages call them all.
 * @throws {@link Gru4RecError} `ERR_DATA`, `ERR_FILE`; what DuckDB fails with.
 */
export async function readParquetFiles(
  connection: DuckDBConnection,
  files: readonly InputFile[],
  name: string,
  options: SourceOptions,
): Promise<EventLog> {
  const tableOf = (file: InputFile): Table => ({ from: `read_parquet(${pathsSql([file.path])})`, name: file.name });
  const typesOf = async (file: InputFile) => {
    try {
      return await columnTypes(connection, tableOf(file));
    } catch (error) {
      if (hasPlace(error)) throw error;
      await checkReadable([file]);
      const message = `Expected ${file.name} to be a whole Parquet file but ${whyNot(error)}`;
      throw new Gru4RecError("ERR_DATA", message, { cause: error });
    }
  };
  const first = files[0]!;
  const types = await typesOf(first);
  const names = chooseColumns([...types.keys()], first.name, options);
  for (const file of files.slice(1)) checkTypes(await typesOf(file), file, types, first, names);
  const table = { from: `read_parquet(${pathsSql(files.map(({ path }) => path))})`, name };
  return readTable(connection, table, files.map(tableOf), types, names, options).catch(async (error: unknown) => {
    await checkReadable(files);
    throw error;
  });
}

function whyNot(error: unknown): string {
  const reason = duckDbReason(error);
  return /magic bytes|too small/i.test(reason) ? "it is cut short, or something else" : reason;
}

function checkTypes(
  types: ReadonlyMap<string, string>,
  { name }: InputFile,
  firstTypes: ReadonlyMap<string, string>,
  { name: firstName }: InputFile,
  names: ChosenColumns,
): void {
  for (const column of Object.values(names).filter((name) => name !== undefined)) {
    const [type, expected] = [types.get(column), firstTypes.get(column)];
    if (type === expected) continue;
    const message = `Expected ${column} in ${name} to be ${expected} as in ${firstName} but ${type === undefined ? "it is missing" : `it is ${type}`}`;
    throw new Gru4RecError("ERR_DATA", message);
  }
}
