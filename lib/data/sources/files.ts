import { access, constants, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Gru4RecError, unreadable } from "../../errors";
import type * as Glob from "../duckdb/glob";
import type { FileFormat } from "./options";

/** A file to read. */
export interface InputFile {
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
}

const ENDINGS: Readonly<Record<FileFormat, RegExp>> = {
  csv: /\.(csv|tsv|tab|txt)(\.gz|\.zst)?$/i,
  parquet: /\.(parquet|pq)$/i,
  jsonl: /\.(jsonl|ndjson)(\.gz|\.zst)?$/i,
};
const DATABASE = /\.(duckdb|ddb|db|db3|sqlite|sqlite3)$/i;
const KNOWN_ENDINGS = ".csv, .tsv, .tab, .txt, .jsonl or .ndjson, also with .gz or .zst, .parquet or .pq";

/** What a file holds by its name, or undefined where that does not say. */
function formatOfName(path: string): FileFormat | undefined {
  return (Object.keys(ENDINGS) as FileFormat[]).find((format) => ENDINGS[format].test(path));
}

/** Whether a file is a database by its name. */
export function isDatabaseName(path: string): boolean {
  return DATABASE.test(path);
}

/** Whether a file, by its name, is none of those that hold events without more being said. */
export function mayBeDatabase(path: string): boolean {
  return isDatabaseName(path) || formatOfName(path) === undefined;
}

/**
 * What the files hold: told by their names, and CSV or TSV where these do not say.
 * @throws {@link Gru4RecError} `ERR_DATA` when they are not of one kind.
 */
export function formatOf(files: readonly InputFile[]): FileFormat {
  const formats = files.map(({ name }) => formatOfName(name) ?? "csv");
  const other = formats.findIndex((format) => format !== formats[0]);
  if (other < 0) return formats[0]!;
  const received = `${files[0]!.name} (${formats[0]}) and ${files[other]!.name} (${formats[other]})`;
  throw new Gru4RecError("ERR_DATA", `Expected files of one kind but received ${received}`);
}

/** Ascending order of texts by their UTF-16 code units, on every machine. */
const byName = (a: string, b: string) => (a < b ? -1 : 1);

/**
 * The files of a path: itself; those of a folder with a known ending, hidden ones and those that begin with `_` left
 * out, by name; or those that match a pattern with `*`, `?` or `[…]`, by name.
 * @param anyEnding - Whether files of a folder may have any ending.
 * @throws {@link Gru4RecError} `ERR_FILE`, `ERR_DATA` when a folder or pattern has no file; `ERR_ARGUMENT` for databases.
 */
export async function listFiles(path: string, anyEnding: boolean): Promise<InputFile[]> {
  let isFolder: boolean;
  try {
    await access(path, constants.R_OK);
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    const matches = (error as NodeJS.ErrnoException).code === "ENOENT" ? await match(path) : undefined;
    if (matches === undefined) throw unreadable(path, error);
    return matches.map((file) => ({ path: file, name: file }));
  }
  if (!isFolder) {
    if (isDatabaseName(path) && !anyEnding) {
      const what = `{ database: ${JSON.stringify(path)}, table: "…" } or { database, query: "…" }`;
      throw new Gru4RecError(
        "ERR_ARGUMENT",
        `Expected ${what} (--table or --query) for a database but received its path`,
      );
    }
    return [{ path, name: path }];
  }
  const names = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  const files = names
    .filter((entry) => !entry.isDirectory() && !/^[._]/.test(entry.name))
    .map((entry) => join(path, entry.name))
    .filter((file) => anyEnding || formatOfName(file) !== undefined)
    .sort(byName);
  if (files.length > 0) return files.map((file) => ({ path: file, name: file }));
  const what = anyEnding ? "" : ` that end in ${KNOWN_ENDINGS}`;
  throw new Gru4RecError("ERR_DATA", `Expected files${what} in the folder ${path} but there are none`);
}

/** The files that match a pattern; undefined where `path` is none. */
async function match(path: string): Promise<string[] | undefined> {
  if (!/[*?[]/.test(path)) return undefined;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings DuckDB, 40 MB that few need
  const { filesMatching } = require("../duckdb/glob") as typeof Glob;
  const files = await filesMatching(path);
  if (files.length === 0) throw new Gru4RecError("ERR_FILE", `Expected files that match ${path} but there are none`);
  return files.sort(byName);
}

/** @throws {@link Gru4RecError} `ERR_FILE` for the first file that cannot be read, such as one that is gone by now. */
export async function checkReadable(files: readonly InputFile[]): Promise<void> {
  for (const { path, name } of files) {
    try {
      await access(path, constants.R_OK);
      if ((await stat(path)).isDirectory()) throw new Error("it is a directory");
    } catch (error) {
      throw unreadable(name, error);
    }
  }
}

/** The first bytes of a file. @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read. */
export async function readHead({ path, name }: InputFile, bytes: number): Promise<Buffer> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(name, error);
  }
}
