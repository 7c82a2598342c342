import { createReadStream, createWriteStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { DuckDBConnection } from "@duckdb/node-api";
import { fileReason, Gru4RecError, reason } from "../../errors";
import { pathsSql, textSql } from "../duckdb/sql";
import { readHead, type InputFile } from "./files";

const GZIP = Buffer.of(0x1f, 0x8b);
const ZSTANDARD = Buffer.of(0x28, 0xb5, 0x2f, 0xfd);

/** A byte order mark. */
const MARK = Buffer.of(0xef, 0xbb, 0xbf);

/**
 * Unpacks a text file that is compressed, as its first bytes tell: its rows are read several times, by several threads,
 * and DuckDB would take a file that was cut short for a whole one.
 * @param to - Path of the text.
 * @param dropsMark - Whether to do without a byte order mark.
 * @returns The file to read.
 * @throws {@link Gru4RecError} `ERR_DATA` when the file is damaged or cut short; `ERR_FILE`.
 */
export async function unpack(
  connection: DuckDBConnection,
  file: InputFile,
  to: string,
  dropsMark: boolean,
  signal: AbortSignal | undefined,
): Promise<InputFile> {
  const text = await decompress(connection, file, to, signal);
  if (!dropsMark || !(await readHead(text, MARK.length)).equals(MARK)) return text;
  const unmarked = `${to}-unmarked`;
  await pipeline(createReadStream(text.path, { start: MARK.length }), createWriteStream(unmarked), { signal }).catch(
    (error: unknown) => {
      throw noRoom(error, file, unmarked) ?? error;
    },
  );
  return { path: unmarked, name: file.name };
}

async function decompress(
  connection: DuckDBConnection,
  file: InputFile,
  to: string,
  signal: AbortSignal | undefined,
): Promise<InputFile> {
  const { path, name } = file;
  const head = await readHead(file, 4);
  const isGzip = head.subarray(0, 2).equals(GZIP);
  if (!isGzip && !head.equals(ZSTANDARD)) return file;
  try {
    if (isGzip) await pipeline(createReadStream(path), createGunzip(), createWriteStream(to), { signal });
    else {
      await checkZstandard(path);
      await connection.run(zstandardSql(path, to));
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (signal?.aborted || !/^Z_|^ERR_CUT$/.test(code)) throw noRoom(error, file, to) ?? error;
    const kind = isGzip ? "gzip" : "Zstandard";
    const why = code === "Z_BUF_ERROR" || code === "ERR_CUT" ? "it is cut short" : `it is damaged (${reason(error)})`;
    throw new Gru4RecError("ERR_DATA", `Expected ${name} to be a whole ${kind} file but ${why}`, { cause: error });
  }
  return { path: to, name };
}

/** The error of a copy that could not be written, or undefined. */
function noRoom(error: unknown, { name }: InputFile, to: string): Gru4RecError | undefined {
  if (!["ENOSPC", "EDQUOT", "EROFS"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
  const message = `Expected to unpack ${name} to ${to} but ${fileReason(error, "there is no such folder")}`;
  return new Gru4RecError("ERR_FILE", message, { cause: error });
}

/** Node 20 has no Zstandard, DuckDB has: it copies the lines, each as one field. The delimiter is in no text. */
function zstandardSql(path: string, to: string): string {
  const plain = "delim='\x01', quote='', escape='', header=false";
  const lines = `read_csv(${pathsSql([path])}, ${plain}, auto_detect=false, columns={line: 'VARCHAR'}, compression='zstd', strict_mode=false)`;
  return `COPY (SELECT line FROM ${lines}) TO ${textSql(to)} (FORMAT csv, DELIMITER '\x01', QUOTE '', ESCAPE '', NULLSTR '', HEADER false)`;
}

/** Walks the frames and blocks of a Zstandard file (RFC 8878) by their headers. @throws `ERR_CUT` when it ends in one. */
async function checkZstandard(path: string): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(4);
    let at = 0;
    const take = async (bytes: number): Promise<number> => {
      const { bytesRead } = await file.read(buffer, 0, bytes, at);
      at += bytes;
      if (bytesRead < bytes) throw cut();
      return buffer.readUIntLE(0, bytes);
    };
    while (at < size) {
      const magic = await take(4);
      if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) {
        at += await take(4); // a frame to skip
        continue;
      }
      if (magic !== ZSTANDARD.readUInt32LE()) throw cut();
      const descriptor = await take(1);
      const single = (descriptor >> 5) & 1;
      at += 1 - single; // window
      at += [0, 1, 2, 4][descriptor & 3]!; // dictionary
      at += [single, 2, 4, 8][descriptor >> 6]!; // size of the content
      for (let last = false; !last;) {
        const header = await take(3);
        last = (header & 1) === 1;
        at += ((header >> 1) & 3) === 1 ? 1 : header >> 3; // a run is one byte
      }
      if ((descriptor & 4) !== 0) at += 4; // checksum
    }
    if (at > size) throw cut();
  } finally {
    await file.close();
  }
}

const cut = () => Object.assign(new Error("It ends in the middle of a frame"), { code: "ERR_CUT" });
