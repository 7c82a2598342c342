import type { DuckDBConnection } from "@duckdb/node-api";
import type { IdColumnType } from "../duckdb/relation";
import { isOneOfSql, nameSql, pathsSql } from "../duckdb/sql";
import { chooseColumns } from "./column-names";
import type { InputFile } from "./files";
import { JsonRowJudge, readKeys, type JsonKinds } from "./json-lines";
import type { SourceOptions } from "./options";
import type { TextTable } from "./text-files";

/** SQL of a JSON value as text: that of a text without its quotes. */
const text = (column: string) => `(${column}->>'$')`;

const KINDS = ["number", "text"] as const;

/**
 * Finds the columns of files of JSON lines.
 * @throws {@link Gru4RecError} `ERR_DATA` where an object lacks them; `ERR_FILE`.
 */
export async function openJsonlFiles(
  connection: DuckDBConnection,
  files: readonly InputFile[],
  options: SourceOptions,
): Promise<TextTable> {
  const names = chooseColumns(await readKeys(files[0]!), files[0]!.name, options);
  const [session, item, time] = [names.sessionId, names.itemId, names.time].map(nameSql) as [string, string, string];
  const { eventTypes } = options;
  const type = names.eventType && nameSql(names.eventType);
  const combinations: JsonKinds[] = KINDS.flatMap((s) => KINDS.flatMap((i) => KINDS.map((t) => ({ session: s, item: i, time: t })))); // prettier-ignore
  return {
    relation: async (paths) => {
      const types = `columns={${[session, item, time, ...(type === undefined ? [] : [type])].map((column) => `${column}: 'JSON'`).join(", ")}}`;
      const from = `read_json(${pathsSql(paths)}, format='newline_delimited', auto_detect=false, ${types})`;
      const [sessionType, itemType] = await idTypes(connection, [session, item], from);
      return {
        from,
        session: { sql: text(session), type: sessionType! },
        item: { sql: text(item), type: itemType! },
        time: { sql: text(time), type: "text" },
        wanted: type && isOneOfSql(text(type), eventTypes!),
      };
    },
    judges: () => [
      new JsonRowJudge(names, eventTypes),
      ...combinations.map((kinds) => new JsonRowJudge(names, eventTypes, kinds)),
    ],
  };
}

/** What ids are: a text stays one, also where it looks like a number. @throws where a column has ids of two kinds */
async function idTypes(
  connection: DuckDBConnection,
  columns: readonly string[],
  from: string,
): Promise<IdColumnType[]> {
  const sql = `SELECT DISTINCT ${columns.map((column) => `json_type(${column})`).join(", ")} FROM ${from}`;
  const rows = (await connection.runAndReadAll(sql)).getRows();
  return columns.map((column, i) => {
    const types = [...new Set(rows.map((row) => row[i] as string | null))];
    if (types.every((type) => type === "VARCHAR")) return "text";
    if (types.every((type) => type === "BIGINT" || type === "UBIGINT")) return "text or integer";
    throw new Error(`Expected ${column} to be all integers, or all text, but received ${types.join(" and ")}`);
  });
}
