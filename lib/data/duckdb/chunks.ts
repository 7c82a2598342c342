import type { DuckDBConnection, DuckDBDataChunk } from "@duckdb/node-api";
import { data_chunk_get_vector, vector_get_data } from "@duckdb/node-bindings";

/** Calls `visit` for each piece of a query's result, in its order. */
export async function forEachChunk(
  connection: DuckDBConnection,
  sql: string,
  visit: (chunk: DuckDBDataChunk) => void,
): Promise<void> {
  const result = await connection.stream(sql);
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk())
    visit(chunk);
}

function bytesOf(chunk: DuckDBDataChunk, column: number, width: number): Uint8Array {
  return vector_get_data(data_chunk_get_vector(chunk.chunk, column), chunk.rowCount * width);
}

/** A column of 64-bit integers without nulls, as words: the low one of each value, then its high one. */
export function wordsOf(chunk: DuckDBDataChunk, column: number): Uint32Array {
  const { buffer, byteOffset } = bytesOf(chunk, column, 8);
  return new Uint32Array(buffer, byteOffset, 2 * chunk.rowCount);
}

/** A column of doubles without nulls. */
export function doublesOf(chunk: DuckDBDataChunk, column: number): Float64Array {
  const { buffer, byteOffset } = bytesOf(chunk, column, 8);
  return new Float64Array(buffer, byteOffset, chunk.rowCount);
}

/** Whether a column of booleans without nulls is true everywhere. */
export function allTrue(chunk: DuckDBDataChunk, column: number): boolean {
  return !bytesOf(chunk, column, 1).includes(0);
}

/** A column of booleans without nulls, as 0 and 1. */
export function flagsOf(chunk: DuckDBDataChunk, column: number): Uint8Array {
  return bytesOf(chunk, column, 1);
}
