import { expected, Gru4RecError } from "../../errors";
import type { EventLog } from "../event-log";
import type { EventTime } from "../event-times";
import type { IdColumn, ItemId, SessionId } from "../ids";
import { isList } from "../item-lists";
import { EventLogBuilder } from "../log-builder";
import { inTurns } from "../turns";
import { isWanted, type SourceOptions } from "./options";

/** Events as three columns of one length: plain or typed arrays. */
export interface EventColumns<Id extends ItemId = ItemId> {
  /** Of one kind. */
  readonly sessionId: IdColumn<SessionId>;
  /** Of one kind. */
  readonly itemId: IdColumn<Id>;
  /** Of one kind. Numbers are Unix seconds, or milliseconds when their median is at least 1e11. */
  readonly time: ArrayLike<EventTime>;
  /** Only {@link prepare} with `eventTypes` looks at it. */
  readonly eventType?: ArrayLike<string> | undefined;
}

const COLUMN_OF = { session: "sessionId", item: "itemId", time: "time" } as const;

/** @throws {@link Gru4RecError} `ERR_DATA` where the columns are not of one length or hold what is no id or time. */
export async function readColumns(
  columns: EventColumns,
  { timeUnit, eventTypes, skipBadRows, signal, note }: SourceOptions,
): Promise<EventLog> {
  for (const name of Object.values(COLUMN_OF)) {
    const column: unknown = columns[name];
    if (!isList(column)) throw new Gru4RecError("ERR_DATA", expected(name, "an array or a typed array", column));
  }
  const { sessionId, itemId, time } = columns;
  if (sessionId.length !== itemId.length || itemId.length !== time.length) {
    const lengths = `sessionId ${sessionId.length}, itemId ${itemId.length}, time ${time.length}`;
    throw new Gru4RecError("ERR_DATA", `Expected columns of one length but received ${lengths}`);
  }
  const types = eventTypes && columns.eventType;
  if (eventTypes !== undefined && (!isList(types) || types.length !== time.length))
    throw new Gru4RecError("ERR_DATA", expected("eventType", `an array of ${time.length} types`, types));
  const builder = new EventLogBuilder((field, index) => `${COLUMN_OF[field]}[${index}]`, time.length, skipBadRows);
  await inTurns(time.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) builder.add(sessionId[i], itemId[i], time[i], isWanted(types?.[i], eventTypes));
  });
  builder.skipped.report("the columns", note);
  return builder.build(timeUnit, signal);
}
