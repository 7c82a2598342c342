import type { DuckDBConnection } from "@duckdb/node-api";
import { aborted, Gru4RecError } from "../../errors";
import { duckDbReason, isOutOfResources, resourceFailure } from "../duckdb/failures";
import { withDuckDb } from "../duckdb/session";
import type { SourceOptions } from "./options";

/**
 * Reads something by a DuckDB of its own.
 * @param name - What messages call the data.
 * @throws {@link Gru4RecError} `ERR_ABORTED`, `ERR_OUT_OF_MEMORY`, `ERR_FILE` for a full disk; `ERR_DATA` for all else.
 */
export async function readByDuckDb<T>(
  name: string,
  { memoryLimit, signal }: SourceOptions,
  read: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  try {
    return await withDuckDb({ memoryLimit, signal }, read);
  } catch (error) {
    if (signal?.aborted) throw aborted(signal);
    if (error instanceof Gru4RecError) throw error;
    if (isOutOfResources(error)) throw resourceFailure(error, name, memoryLimit);
    throw new Gru4RecError("ERR_DATA", `${duckDbReason(error)} in ${name}`, { cause: error });
  }
}
