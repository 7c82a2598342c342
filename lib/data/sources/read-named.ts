import type { DuckDBConnection } from "@duckdb/node-api";
import { Gru4RecError } from "../../errors";
import { duckDbReason, isOutOfResources } from "../duckdb/failures";
import { readRelation } from "../duckdb/read-relation";
import type { Relation } from "../duckdb/relation";
import type { EventLog } from "../event-log";
import type { SourceOptions } from "./options";

/** Whether an error says all there is to say: no row is to blame. */
export function hasPlace(error: unknown): boolean {
  return error instanceof Gru4RecError || isOutOfResources(error);
}

/** Reads a relation. @throws As `readRelation` does, with the name of the data where there are none or too many events. */
export async function readEventsOf(
  connection: DuckDBConnection,
  relation: Relation,
  name: string,
  options: SourceOptions,
): Promise<EventLog> {
  return readRelation(connection, relation, options).catch((error: unknown) => {
    if (!(error instanceof Gru4RecError) || error.code !== "ERR_DATA") throw error;
    throw new Gru4RecError("ERR_DATA", `${error.message} in ${name}`, { cause: error });
  });
}

/** Makes an error without a place one with the name of the data. */
export async function withName<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (hasPlace(error)) throw error;
    throw new Gru4RecError("ERR_DATA", `${duckDbReason(error)} in ${name}`, { cause: error });
  }
}
