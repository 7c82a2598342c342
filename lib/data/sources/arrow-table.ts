import type { EventLog } from "../event-log";
import { EventLogBuilder } from "../log-builder";
import { withSmallestKinds } from "../narrow-ids";
import { inTurns } from "../turns";
import { chooseColumns } from "./column-names";
import { isWanted, type SourceOptions } from "./options";

/** A column of an Arrow table. */
export interface ArrowColumn {
  /** Number of rows. */
  readonly length: number;
  /** The value of a row; null where there is none. */
  get(row: number): unknown;
}

/** What a column of an Arrow table is. */
export interface ArrowField {
  /** Name of the column. */
  readonly name: string;
  /** Its type, of which `typeId` is looked at, and of a dictionary that of its values. */
  readonly type: unknown;
}

/** An Arrow table, as the package `apache-arrow` has it. */
export interface ArrowTable {
  /** Number of rows. */
  readonly numRows: number;
  /** What its columns are. */
  readonly schema: {
    /** One for each column. */
    readonly fields: readonly ArrowField[];
  };
  /** The column of a name. */
  getChild(name: string): ArrowColumn | null;
}

/** Whether `data` is an Arrow table, by its shape: whichever copy of the package made it. */
export function isArrowTable(data: object): data is ArrowTable {
  const { numRows, schema, getChild } = data as Partial<ArrowTable>;
  return typeof numRows === "number" && typeof getChild === "function" && Array.isArray(schema?.fields);
}

/** What is looked at of a type: its number, and the type of the values where it is a dictionary. */
interface ArrowType {
  readonly typeId?: number;
  readonly dictionary?: ArrowType;
}

/** Arrow's numbers of the types whose values come as milliseconds or Dates, whatever their unit. */
const DATE = 8;
const TIMESTAMP = 10;

/** @throws {@link Gru4RecError} `ERR_DATA` for rows that are no events. */
export async function readArrowTable(table: ArrowTable, options: SourceOptions): Promise<EventLog> {
  const { timeUnit, eventTypes, skipBadRows, signal, note } = options;
  const name = "the Arrow table";
  const { fields } = table.schema;
  const names = chooseColumns(
    fields.map((field) => field.name),
    name,
    options,
  );
  const type = names.eventType === undefined ? undefined : table.getChild(names.eventType)!;
  const [session, item, time] = [names.sessionId, names.itemId, names.time].map((column) => table.getChild(column)!) as [ArrowColumn, ArrowColumn, ArrowColumn]; // prettier-ignore
  const timeType = fields.find((field) => field.name === names.time)!.type as ArrowType;
  const { typeId } = timeType.dictionary ?? timeType;
  const unit = typeId === DATE || typeId === TIMESTAMP ? "ms" : timeUnit;
  const columnOf = { session: names.sessionId, item: names.itemId, time: names.time };
  const builder = new EventLogBuilder((field, row) => `${columnOf[field]} in row ${row + 1} of ${name}`, table.numRows, skipBadRows); // prettier-ignore
  await inTurns(table.numRows, signal, (from, to) => {
    for (let row = from; row < to; ++row)
      builder.add(session.get(row), item.get(row), time.get(row), isWanted(type?.get(row), eventTypes));
  });
  builder.skipped.report(name, note);
  return withSmallestKinds(await builder.build(unit, signal, name));
}
