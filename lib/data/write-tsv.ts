import type { FileHandle } from "node:fs/promises";
import { aborted } from "../errors";
import type { EventLog } from "./event-log";

/** Characters to write at a time. */
const PIECE = 1 << 20;

/** An id as a field; quoted where it has what separates fields or lines (RFC 4180). */
function fieldOf(id: unknown): string {
  const text = String(id);
  return /["\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Writes a log as TSV with the header `SessionId ItemId Time`: session by session, times in seconds.
 * @param file - Empty.
 */
export async function writeTsv(file: FileHandle, log: EventLog, signal: AbortSignal | undefined): Promise<void> {
  const { sessionIds, itemIds, offsets, items, times } = log;
  const fields = Array.from(itemIds as ArrayLike<unknown>, fieldOf);
  const write = async (piece: string) => {
    if (signal?.aborted) throw aborted(signal);
    await file.appendFile(piece);
  };
  let text = "SessionId\tItemId\tTime\n";
  for (let s = 0; s + 1 < offsets.length; ++s) {
    const session = fieldOf(sessionIds.at(s));
    for (let event = offsets[s]!; event < offsets[s + 1]!; ++event) {
      text += `${session}\t${fields[items[event]!]!}\t${times[event]!}\n`;
      if (text.length < PIECE) continue;
      await write(text);
      text = "";
    }
  }
  await write(text);
}
