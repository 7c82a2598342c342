import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventLog } from "../event-log";
import { openCsvFiles } from "./csv-files";
import { formatOf, type InputFile } from "./files";
import { openJsonlFiles } from "./jsonl-files";
import type { SourceOptions } from "./options";
import { readParquetFiles } from "./parquet-files";
import { readTextFiles } from "./text-files";
import { readByDuckDb } from "./with-duckdb";

/**
 * Reads files of one kind as one log.
 * @param name - What messages call them all.
 * @throws {@link Gru4RecError} `ERR_FILE` when one cannot be read, `ERR_DATA` when one does not hold events.
 */
export async function readFiles(files: readonly InputFile[], name: string, options: SourceOptions): Promise<EventLog> {
  const format = options.format ?? formatOf(files);
  return readByDuckDb(name, options, async (connection) => {
    if (format === "parquet") return readParquetFiles(connection, files, name, options);
    const isJson = format === "jsonl";
    const open = isJson ? openJsonlFiles : openCsvFiles;
    const folder = await mkdtemp(join(tmpdir(), "gru4rec-"));
    try {
      const openTexts = (texts: readonly InputFile[]) => open(connection, texts, options);
      return await readTextFiles(connection, files, name, folder, isJson, options, openTexts);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
