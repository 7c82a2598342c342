import type { TimeUnit } from "../event-times";

/** What files and tables call the columns of an event. */
export interface ColumnNames {
  /** Default `SessionId`, else another usual name. */
  readonly sessionId: string;
  /** Default `ItemId`, else another usual name. */
  readonly itemId: string;
  /** Default `Time`, else another usual name. */
  readonly time: string;
  /** Default `EventType`, else another usual name. Only {@link prepare} with `eventTypes` looks at it. */
  readonly eventType: string;
}

/** What files hold: `csv` is tab- or comma-separated text with a header, `jsonl` a JSON object on each line. */
export type FileFormat = "csv" | "parquet" | "jsonl";
export const FILE_FORMATS: readonly FileFormat[] = ["csv", "parquet", "jsonl"];

/** Whether the item of an event matters, by its type. */
export function isWanted(type: unknown, eventTypes: readonly string[] | undefined): boolean {
  return eventTypes === undefined || eventTypes.includes(type as string);
}

/** How to read, with all defaults. */
export interface SourceOptions {
  /** Those that are given. */
  readonly columns: Partial<ColumnNames>;
  /** Types of the events whose items matter, those of the others are OTHER_TYPE; undefined: all matter, whatever their type. */
  readonly eventTypes: readonly string[] | undefined;
  /** Of times that are numbers; undefined: found out. */
  readonly timeUnit: TimeUnit | undefined;
  /** Of all files; undefined: told by their names. */
  readonly format: FileFormat | undefined;
  /** See DuckDbOptions. */
  readonly memoryLimit: string | undefined;
  readonly skipBadRows: boolean;
  readonly signal: AbortSignal | undefined;
  /** Takes what is worth knowing. */
  readonly note: (text: string) => void;
}
