import { describeValue, expected, Gru4RecError } from "../errors";
import { IdNumbering, type EventLog } from "./event-log";
import { checkId, type IdColumn, type IdKind } from "./ids";

/** Events as three columns of one length: plain or typed arrays. */
export interface EventColumns {
  readonly sessionId: IdColumn;
  readonly itemId: IdColumn;
  /** Of any unit; only its order counts. */
  readonly time: ArrayLike<number>;
}

function numberColumn(column: IdColumn, name: string): { numbers: Int32Array; numbering: IdNumbering } {
  const kind = typeof column[0] as IdKind;
  const numbering = new IdNumbering(kind);
  const numbers = new Int32Array(column.length);
  for (let i = 0; i < column.length; ++i) {
    const id = column[i];
    checkId(id, `${name}[${i}]`, "ERR_DATA");
    if (typeof id !== kind) {
      const message = `Expected ${name}[${i}] to be a ${kind} like ${name}[0] but received ${describeValue(id)}`;
      throw new Gru4RecError("ERR_DATA", message);
    }
    numbers[i] = numbering.numberOf(id === 0 ? 0 : id);
  }
  return { numbers, numbering };
}

/** @throws {@link Gru4RecError} `ERR_DATA` where the columns are not of one length or hold what is no id or time. */
export function readColumns(columns: EventColumns): EventLog {
  for (const name of ["sessionId", "itemId", "time"] as const) {
    const column: unknown = columns[name];
    if (!Array.isArray(column) && !(ArrayBuffer.isView(column) && "length" in column))
      throw new Gru4RecError("ERR_DATA", expected(name, "an array or a typed array", column));
  }
  const { sessionId, itemId, time } = columns;
  if (sessionId.length !== itemId.length || itemId.length !== time.length) {
    const lengths = `sessionId ${sessionId.length}, itemId ${itemId.length}, time ${time.length}`;
    throw new Gru4RecError("ERR_DATA", `Expected columns of one length but received ${lengths}`);
  }
  if (time.length === 0) throw new Gru4RecError("ERR_DATA", "Expected at least one event but received empty columns");

  const sessions = numberColumn(sessionId, "sessionId");
  const items = numberColumn(itemId, "itemId");
  const times = new Float64Array(time.length);
  for (let i = 0; i < time.length; ++i) {
    const value: unknown = time[i];
    if (typeof value !== "number" || !Number.isFinite(value))
      throw new Gru4RecError("ERR_DATA", expected(`time[${i}]`, "a finite number", value));
    times[i] = value;
  }
  return {
    itemKind: items.numbering.kind,
    itemIds: items.numbering.ids(),
    sessionKind: sessions.numbering.kind,
    sessionIds: sessions.numbering.ids(),
    items: items.numbers,
    sessions: sessions.numbers,
    times,
  };
}
