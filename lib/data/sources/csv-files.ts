import type { DuckDBConnection } from "@duckdb/node-api";
import { Gru4RecError } from "../../errors";
import { pathsSql } from "../duckdb/sql";
import { isIntegerTextSql } from "../duckdb/relation";
import type { EventLog } from "../event-log";
import { chooseColumns } from "./column-names";
import { DelimitedRowJudge, readDialect, type Dialect, type EventFields } from "./delimited-text";
import type { InputFile } from "./files";
import type { ColumnNames, SourceOptions } from "./options";
import type { TextTable } from "./text-files";

/** SQL of the rows of files: columns c0, c1, … of text. */
function rowsSql(paths: readonly string[], { delimiter, header }: Dialect, time: number, more: string): string {
  const columns = header.map((_, i) => `c${i}: 'VARCHAR'`).join(", ");
  return (
    `read_csv(${pathsSql(paths)}, delim='${delimiter}', quote='"', escape='"', header=true, auto_detect=false, ` +
    `columns={${columns}}, force_not_null=['c${time}'], compression='none', ${more})`
  );
}

/**
 * Finds the columns of TSV or CSV files with a header, the same in all of them.
 * @throws {@link Gru4RecError} `ERR_DATA` for other headers; `ERR_FILE`.
 */
export async function openCsvFiles(
  connection: DuckDBConnection,
  files: readonly InputFile[],
  { columns, note }: SourceOptions,
): Promise<TextTable> {
  const [first, ...others] = files;
  const dialect = await readDialect(first!);
  const { header } = dialect;
  const names = chooseColumns(header, columns, first!.name, note);
  for (const file of others) checkHeader(await readDialect(file), file, dialect, first!);
  const fields = {
    session: header.indexOf(names.sessionId),
    item: header.indexOf(names.itemId),
    time: header.indexOf(names.time),
  };
  return {
    relation: (paths, strict) =>
      Promise.resolve({
        from: rowsSql(paths, dialect, fields.time, `strict_mode=${strict}`),
        session: { sql: `c${fields.session}`, type: "text or integer" },
        item: { sql: `c${fields.item}`, type: "text or integer" },
        time: { sql: `c${fields.time}`, type: "text" },
      }),
    judges: () => [
      new DelimitedRowJudge(dialect, fields),
      new DelimitedRowJudge(dialect, fields, "number"),
      new DelimitedRowJudge(dialect, fields, "text"),
    ],
    check: (log, paths) => checkKinds(connection, { files, paths, dialect, fields, names }, log),
  };
}

function checkHeader(dialect: Dialect, { name }: InputFile, first: Dialect, { name: firstName }: InputFile): void {
  const describe = ({ delimiter, header }: Dialect) =>
    `${header.join(", ")} (with ${delimiter === "\t" ? "tabs" : "commas"} between)`;
  if (describe(dialect) === describe(first)) return;
  const message = `Expected the columns ${describe(first)} in ${name} as in ${firstName} but received ${describe(dialect)}`;
  throw new Gru4RecError("ERR_DATA", message);
}

interface CsvFiles {
  readonly files: readonly InputFile[];
  /** Of the files, or of copies of them. */
  readonly paths: readonly string[];
  readonly dialect: Dialect;
  readonly fields: EventFields;
  readonly names: ColumnNames;
}

/** @throws {@link Gru4RecError} `ERR_DATA` where ids are all integers in one file and text in another. */
async function checkKinds(
  connection: DuckDBConnection,
  { files, paths, dialect, fields, names }: CsvFiles,
  { sessionKind, itemKind }: EventLog,
): Promise<void> {
  if (files.length === 1 || (sessionKind !== "string" && itemKind !== "string")) return;
  const rows = rowsSql(paths, dialect, fields.time, "strict_mode=false, filename='file'");
  const areIntegers = (field: number) => `bool_and(${isIntegerTextSql(`c${field}`)})`;
  const reader = await connection.runAndReadAll(
    `SELECT file, ${areIntegers(fields.session)}, ${areIntegers(fields.item)} FROM ${rows} GROUP BY file`,
  );
  const byPath = new Map(reader.getRows().map(([path, ...kinds]) => [path as string, kinds as boolean[]]));
  [names.sessionId, names.itemId].forEach((column, i) => {
    const file = (integers: boolean) => files[paths.findIndex((path) => byPath.get(path)?.[i] === integers)]?.name;
    const [integers, text] = [file(true), file(false)];
    if (integers === undefined || text === undefined) return;
    const message = `Expected ${column} to be integers in all files, or text in all, but received integers in ${integers} and text in ${text}`;
    throw new Gru4RecError("ERR_DATA", message);
  });
}
