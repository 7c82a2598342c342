import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";

/** What DuckDB may take. */
export interface DuckDbOptions {
  /** Such as `1GB`; what does not fit is put into a temporary folder. Default {@link DEFAULT_MEMORY_LIMIT}. */
  readonly memoryLimit: string | undefined;
  /** Stops what runs; what is thrown then is DuckDB's. */
  readonly signal: AbortSignal | undefined;
}

export const DEFAULT_MEMORY_LIMIT = "512MB";
/** Threads that read; more are no faster than what JavaScript does with the rows, and each has buffers. */
const MOST_READERS = 4;
/** What readers may be ahead of JavaScript, which takes the rows in their order: several pieces of a file each. */
const AHEAD = "128MB";

/** Runs `work` with a DuckDB of its own, which is gone afterwards with what it put on disk. */
export async function withDuckDb<T>(
  { memoryLimit, signal }: DuckDbOptions,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "gru4rec-duckdb-"));
  try {
    const instance = await DuckDBInstance.create(":memory:", {
      threads: String(Math.min(availableParallelism(), MOST_READERS)),
      memory_limit: memoryLimit ?? DEFAULT_MEMORY_LIMIT,
      temp_directory: folder,
      autoinstall_known_extensions: "false", // nothing is ever fetched from a network
    });
    try {
      const connection = await instance.connect();
      const interrupt = () => connection.interrupt();
      signal?.addEventListener("abort", interrupt, { once: true });
      try {
        await connection.run(`SET streaming_buffer_size = '${AHEAD}'`);
        return await work(connection);
      } finally {
        signal?.removeEventListener("abort", interrupt);
        connection.closeSync();
      }
    } finally {
      instance.closeSync();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
