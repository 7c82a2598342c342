import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addAbortSignal, type Readable } from "node:stream";
import { Gru4RecError, reason } from "../../errors";
import type { EventLog } from "../event-log";
import type { SourceOptions } from "./options";
import type * as ReadFiles from "./read-files";

const STDIN = 0;

/** Whether `data` is a stream of bytes or text; one of objects is an iterable like any other. */
export function isTextStream(data: object): data is Readable {
  const { pipe, read, readableObjectMode } = data as Partial<Readable>;
  return typeof pipe === "function" && typeof read === "function" && readableObjectMode !== true;
}

/**
 * Reads a stream of TSV or CSV text, or of what `format` says, by way of a temporary file: its rows are read twice.
 * @throws What the stream fails with; {@link Gru4RecError} as {@link ReadFiles.readFiles} does.
 */
export async function readStream(stream: Readable, options: SourceOptions): Promise<EventLog> {
  const name = (stream as { fd?: unknown }).fd === STDIN ? "standard input" : "the stream";
  if (options.signal) addAbortSignal(options.signal, stream); // at once: an abort before that would find no listener
  const folder = await mkdtemp(join(tmpdir(), "gru4rec-"));
  try {
    const path = join(folder, "events");
    await copyToFile(stream, path, name);
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings DuckDB, 40 MB
    const { readFiles } = require("./read-files") as typeof ReadFiles;
    return await readFiles([{ path, name }], name, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function copyToFile(stream: Readable, path: string, name: string): Promise<void> {
  const file = await open(path, "w");
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array | string>)
      await file.appendFile(chunk).catch((error: unknown) => {
        const message = `Expected to copy ${name} to ${path} but ${reason(error)}`;
        throw new Gru4RecError("ERR_FILE", message, { cause: error });
      });
  } finally {
    await file.close();
  }
}
