import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { Gru4RecError } from "../../errors";
import type { Relation } from "../duckdb/relation";
import type { EventLog } from "../event-log";
import { copyEvents } from "./clean-text";
import { checkReadable, type InputFile } from "./files";
import type { SourceOptions } from "./options";
import { hasPlace, readEventsOf, withName } from "./read-named";
import { findBadRow, leastStrict, type RowJudge } from "./row-judge";
import { SkippedRows } from "../skipped-rows";
import { unpack } from "./unpack";

/** What the rows of text files are. */
export interface TextTable {
  /**
   * @param paths - Of the files, or of copies without some of their rows.
   * @param strict - Whether to refuse what a standard does not allow although it can be understood.
   * @throws An error without a place for values that are none.
   */
  relation(paths: readonly string[], strict: boolean): Relation | Promise<Relation>;
  /** Judges that differ in what they take for an event; the first one goes by the first row. */
  judges(): RowJudge[];
  /** @throws {@link Gru4RecError} `ERR_DATA` where files that could be read do not fit together. */
  check?(log: EventLog, paths: readonly string[]): Promise<void>;
}

/**
 * Reads text files, which may be compressed.
 * @param name - What messages call them all.
 * @param folder - For what is put on disk.
 * @param dropsMark - Whether the format knows no byte order mark.
 * @param open - Finds the columns of files.
 * @throws {@link Gru4RecError} `ERR_DATA` for rows that are no events, with file and line; what DuckDB fails with.
 */
export async function readTextFiles(
  connection: DuckDBConnection,
  packed: readonly InputFile[],
  name: string,
  folder: string,
  dropsMark: boolean,
  options: SourceOptions,
  open: (files: readonly InputFile[]) => Promise<TextTable>,
): Promise<EventLog> {
  const files: InputFile[] = [];
  for (const [i, file] of packed.entries())
    files.push(await unpack(connection, file, join(folder, `text-${i}`), dropsMark, options.signal));
  const table = await open(files);
  const read = async (paths: readonly string[], strict: boolean) => {
    const log = await readEventsOf(connection, await table.relation(paths, strict), name, options);
    await table.check?.(log, paths);
    return log;
  };
  const paths = files.map(({ path }) => path);
  try {
    return await read(paths, true);
  } catch (error) {
    if (options.signal?.aborted || hasPlace(error)) throw error;
    await checkReadable(files);
    if (options.skipBadRows) return read(await copyFiles(files, name, folder, table, options), false);
    const judge = table.judges()[0]!; // one for all, as all have to fit together
    for (const file of files) {
      const bad = await findBadRow(file.path, judge);
      if (bad !== undefined) throw new Gru4RecError("ERR_DATA", `${bad} in ${file.name}`, { cause: error });
    }
  }
  // All rows are fine. Line breaks of two kinds are what only the strict mode minds.
  return withName(name, () => read(paths, false));
}

/** Copies the files without the rows that are no events, and notes these. @returns the paths of the copies */
async function copyFiles(
  files: readonly InputFile[],
  name: string,
  folder: string,
  table: TextTable,
  { signal, note }: SourceOptions,
): Promise<string[]> {
  const skipped = new SkippedRows();
  const usual = await leastStrict(files[0]!.path, table.judges());
  const judge = table.judges()[usual]!;
  const copies: string[] = [];
  for (const [i, file] of files.entries()) {
    const copy = join(folder, `events-${i}`);
    await copyEvents(file, copy, judge, skipped, signal);
    copies.push(copy);
  }
  skipped.report(name, note);
  return copies;
}
