import { expected, Gru4RecError } from "../errors";
import type { EventLog } from "./event-log";
import { readColumns, type EventColumns } from "./read-columns";
import { readFile } from "./read-file";

/**
 * A click log: the path of a TSV or CSV file with the columns SessionId, ItemId and Time, three columns, or what
 * {@link readEvents} and {@link splitByTime} return.
 */
export type DataInput = string | EventColumns | EventLog;

/**
 * Reads a click log into memory.
 * @throws {@link Gru4RecError} `ERR_FILE` when a file cannot be read, `ERR_DATA` when it does not hold events.
 */
export async function readEvents(data: DataInput): Promise<EventLog> {
  if (typeof data === "string") return readFile(data);
  const given: unknown = data;
  if (typeof given !== "object" || given === null) {
    const what = "a path or columns { sessionId, itemId, time }";
    throw new Gru4RecError("ERR_ARGUMENT", expected("data", what, given));
  }
  return "itemIds" in data ? data : readColumns(data);
}
