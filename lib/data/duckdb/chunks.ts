import type { DuckDBConnection, DuckDBDataChunk } from "@duckdb/node-api";
import { data_chunk_get_vector, vector_get_data } from "@duckdb/node-bindings";

/** Calls `visit` for each piece of a query's result, in its order. */
export async function forEachChunk(
  connection: DuckDBConnection,
  sql: string,
  visit: (chunk: DuckDBDataChunk) => void,
): Promise<void> {
  const result = await connection.stream(sql);
  let next = result.fetchChunk();
  try {
    for (let chunk = await next; chunk !== null && chunk.rowCount > 0; chunk = await next) {
      next = result.fetchChunk(); // while this one is looked at
      visit(chunk);
    }
  } finally {
    await next.catch(() => undefined); // nothing may run when the connection is closed
  }
}

function memoryOf(chunk: DuckDBDataChunk, column: number, width: number): Uint8Array {
  return vector_get_data(data_chunk_get_vector(chunk.chunk, column), chunk.rowCount * width);
}

/** A column of 64-bit integers without nulls, as words: the low one of each value, then its high one. */
export function wordsOf(chunk: DuckDBDataChunk, column: number): Uint32Array {
  const { buffer, byteOffset } = memoryOf(chunk, column, 8);
  return new Uint32Array(buffer, byteOffset, 2 * chunk.rowCount);
}

/** A column of doubles without nulls. */
export function doublesOf(chunk: DuckDBDataChunk, column: number): Float64Array {
  const { buffer, byteOffset } = memoryOf(chunk, column, 8);
  return new Float64Array(buffer, byteOffset, chunk.rowCount);
}

/** A column of 8-bit integers without nulls. */
export function bytesOf(chunk: DuckDBDataChunk, column: number): Uint8Array {
  return memoryOf(chunk, column, 1);
}
