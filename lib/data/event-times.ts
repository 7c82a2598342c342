import { describeValue, expected, Gru4RecError } from "../errors";

/**
 * When an event happened: Unix seconds or milliseconds, a Date, or ISO 8601 text such as `2024-05-01T12:00:00Z`, which
 * is UTC unless it says otherwise. From 1970 on.
 */
export type EventTime = number | bigint | Date | string;

/** Unit of times that are numbers. */
export type TimeUnit = "s" | "ms";

/** Half of the times from here on: milliseconds, as in seconds this is the year 5138. */
const SMALLEST_MEDIAN_OF_MILLISECONDS = 1e11;

const ISO_8601 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(\.\d{1,9})?)?(?:Z|([+-])(\d\d)(?::?([0-5]\d))?)?)?$/;

/** Unix seconds of ISO 8601 text, or undefined where it is none. */
export function parseIsoTime(text: string): number | undefined {
  const match = ISO_8601.exec(text);
  if (match === null) return undefined;
  const year = Number(match[1]);
  const month = Number(match[2]) - 1;
  const day = Number(match[3]);
  const seconds = Number(match[4] ?? 0) * 3600 + Number(match[5] ?? 0) * 60 + Number(match[6] ?? 0);
  const offset = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * (match[8] === "-" ? -60 : 60);
  const date = new Date(Date.UTC(year, month, day));
  // A 30th of February would be a day in March.
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined;
  return date.getTime() / 1000 + seconds - offset + Number(match[7] ?? 0);
}

type TimeKind = "number" | "bigint" | "Date" | "text";

const KIND_NAMES: Readonly<Record<TimeKind, string>> = {
  number: "a number",
  bigint: "a bigint",
  Date: "a Date",
  text: "ISO 8601 text",
};

/** What a time of each kind must be, for messages. */
export const VALID_TIMES: Readonly<Record<TimeKind, string>> = {
  number: "a finite number from 0 on",
  bigint: "a bigint from 0 on",
  Date: "a valid Date from 1970 on",
  text: "ISO 8601 text from 1970 on, such as 2024-05-01T12:00:00Z",
};

function kindOf(time: unknown): TimeKind | undefined {
  if (time instanceof Date) return "Date";
  const type = typeof time;
  if (type === "string") return "text";
  return type === "number" || type === "bigint" ? type : undefined;
}

/** Reads times of one kind: those of a column. */
export class TimeReader {
  /** Of the first good time. */
  #kind: TimeKind | undefined;
  /** Index of the first good time. */
  #first = 0;

  /** @param nameOf - Names a time in messages by its index. */
  constructor(private readonly nameOf: (index: number) => string) {}

  /** Whether the times read are numbers, whose unit is still open. */
  get isNumeric(): boolean {
    return this.#kind === "number" || this.#kind === "bigint";
  }

  /** @returns A number as it is, in its own unit; Unix seconds of a Date or text. */
  read(time: unknown, index: number): number {
    const kind = typeof time === "number" ? "number" : kindOf(time);
    const value = kind !== undefined && (this.#kind ?? kind) === kind ? valueOf(time, kind) : NaN;
    if (!(value >= 0 && value < Infinity)) throw this.#refusal(time, index);
    if (this.#kind === undefined) [this.#kind, this.#first] = [kind, index];
    return value + 0; // zero has one form: times are sorted by their bits
  }

  #refusal(time: unknown, index: number): Gru4RecError {
    const name = this.nameOf(index);
    const kind = kindOf(time);
    if (kind === undefined) {
      const what = Object.values(KIND_NAMES).join(" or ");
      return new Gru4RecError("ERR_DATA", expected(name, what, time));
    }
    const received = time instanceof Date ? `${String(time)} (Date)` : describeValue(time);
    const like = this.#kind ?? kind;
    const what = kind === like ? VALID_TIMES[kind] : `${KIND_NAMES[like]} like ${this.nameOf(this.#first)}`;
    return new Gru4RecError("ERR_DATA", `Expected ${name} to be ${what} but received ${received}`);
  }
}

function valueOf(time: unknown, kind: TimeKind): number {
  if (kind === "Date") return (time as Date).getTime() / 1000;
  return kind === "text" ? (parseIsoTime(time as string) ?? NaN) : Number(time);
}

/**
 * Turns times that are numbers into Unix seconds, in place.
 * @param unit - undefined: milliseconds when their median is at least 1e11, else seconds.
 */
export function scaleToSeconds(times: Float64Array, unit: TimeUnit | undefined): void {
  if (unit === "s" || (unit === undefined && !areMilliseconds(times))) return;
  for (let i = 0; i < times.length; ++i) times[i]! /= 1000;
}

function areMilliseconds(times: Float64Array): boolean {
  let large = 0;
  for (let i = 0; i < times.length; ++i) if (times[i]! >= SMALLEST_MEDIAN_OF_MILLISECONDS) ++large;
  return 2 * large >= times.length;
}
