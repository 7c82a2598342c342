import { Gru4RecError } from "../../errors";
import { parseIsoTime, VALID_TIMES } from "../event-times";
import { readHead, type InputFile } from "./files";
import { isWanted } from "./options";
import type { RowJudge, Verdict } from "./row-judge";

/** How a text file separates its fields, and what its first line calls them. */
export interface Dialect {
  readonly delimiter: "\t" | ",";
  readonly header: readonly string[];
}

/** Where the columns of an event are among the fields of a file. */
export interface EventFields {
  readonly session: number;
  readonly item: number;
  readonly time: number;
  /** undefined: types do not matter */
  readonly type?: number | undefined;
}

/** Enough for any header. */
const HEAD_BYTES = 65536;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** What a file that is no text may be, by its first bytes. */
const BINARY_FORMATS = { PAR1: "a Parquet file", "SQLite format 3": "a SQLite database" };

/**
 * Reads the header of a TSV or CSV file.
 * @throws {@link Gru4RecError} `ERR_FILE` when the file cannot be read, `ERR_DATA` when it is empty or no text.
 */
export async function readDialect(file: InputFile): Promise<Dialect> {
  const { name } = file;
  const head = await readHead(file, HEAD_BYTES);
  if (head.length === 0) throw new Gru4RecError("ERR_DATA", `Expected a header and events in ${name} but it is empty`);
  const end = head.findIndex((byte) => byte === LINE_FEED || byte === CARRIAGE_RETURN);
  let line: string;
  try {
    if (head.includes(0)) throw new Error("a zero byte");
    const bytes = end < 0 ? head : head.subarray(0, end);
    line = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: end < 0 });
  } catch (error) {
    const start = head.toString("latin1", 0, 16);
    const kind = Object.entries(BINARY_FORMATS).find(([magic]) => start.startsWith(magic))?.[1] ?? "a binary file";
    const message = `Expected ${name} to be a TSV or CSV file in UTF-8 but it looks like ${kind}`;
    throw new Gru4RecError("ERR_DATA", message, { cause: error });
  }
  const delimiter = line.includes("\t") ? "\t" : ",";
  const scanner = new RecordScanner(delimiter);
  return { delimiter, header: scanner.addLine(line) ?? [line] };
}

/** Splits lines into fields; quoted fields may hold delimiters, doubled quotes and line breaks (RFC 4180). */
class RecordScanner {
  #fields: string[] = [];
  #field = "";
  #quoted = false;
  #closed = false;
  /** Whether text follows a quoted field's closing quote in the record so far, or in the one just completed. */
  hasTextAfterQuote = false;

  constructor(private readonly delimiter: string) {}

  /** @returns The fields of the record that the line completes; undefined inside of a quoted field. */
  addLine(line: string): string[] | undefined {
    if (!this.#quoted) {
      this.hasTextAfterQuote = false;
      if (!line.includes('"')) return line.split(this.delimiter);
    }
    for (let i = 0; i < line.length; ++i) {
      const char = line[i]!;
      if (this.#quoted) {
        if (char !== '"') this.#field += char;
        else if (line[i + 1] === '"') this.#field += line[++i]!;
        else {
          this.#quoted = false;
          this.#closed = true;
        }
      } else if (char === this.delimiter) {
        this.#fields.push(this.#field);
        this.#field = "";
        this.#closed = false;
      } else if (char === '"' && this.#field === "" && !this.#closed) {
        this.#quoted = true;
      } else {
        this.hasTextAfterQuote ||= this.#closed;
        this.#field += char;
      }
    }
    if (this.#quoted) {
      this.#field += "\n";
      return undefined;
    }
    const fields = [...this.#fields, this.#field];
    this.reset();
    return fields;
  }

  /** Forgets a record that is not complete. */
  reset(): void {
    this.#fields = [];
    this.#field = "";
    this.#quoted = false;
    this.#closed = false;
  }
}

/** Judges the rows of a TSV or CSV file. The header is line 1. */
export class DelimitedRowJudge implements RowJudge {
  readonly #scanner: RecordScanner;
  /** Where the row begins; undefined: on the next line. */
  #start: number | undefined;

  /** @param timeKind - Of all times; undefined: of the first row that has one. */
  constructor(
    private readonly dialect: Dialect,
    private readonly fields: EventFields,
    private readonly eventTypes?: readonly string[],
    private timeKind?: "number" | "text",
  ) {
    this.#scanner = new RecordScanner(dialect.delimiter);
  }

  judge(line: string, number: number): Verdict {
    const fields = this.#scanner.addLine(line);
    const start = (this.#start ??= number);
    if (fields === undefined) return "open";
    this.#start = undefined;
    const bad = (why: string): Verdict => ({ bad: why });
    const where = `on line ${start}`;
    if (this.#scanner.hasTextAfterQuote)
      return bad(`Expected a quoted field ${where} to end with its quote but more text follows`);
    if (start === 1 || (line === "" && start === number)) return "blank";
    return this.#judgeFields(fields, where, bad) ?? (line.includes("\ufffd") ? bad(`Expected UTF-8 ${where} but received other bytes`) : "event"); // prettier-ignore
  }

  #judgeFields(fields: string[], where: string, bad: (why: string) => Verdict): Verdict | undefined {
    const { header } = this.dialect;
    const { session, item } = this.fields;
    if (fields.length === header.length + 1 && fields.at(-1) === "") fields.pop(); // a delimiter at the end of the line
    if (fields.length !== header.length)
      return bad(`Expected ${header.length} fields (${header.join(", ")}) ${where} but received ${fields.length}`);
    const needed = isWanted(fields[this.fields.type!], this.eventTypes) ? [session, item] : [session];
    for (const id of needed)
      if (fields[id] === "") return bad(`Expected ${header[id]} ${where} to be an id but received an empty field`);
    const time = fields[this.fields.time]!;
    const number = time.trim() === "" ? NaN : Number(time);
    const seconds = parseIsoTime(time);
    if (Number.isFinite(number)) this.timeKind ??= "number";
    else if (seconds !== undefined) this.timeKind ??= "text";
    const value = this.timeKind === "text" ? (seconds ?? NaN) : number;
    if (value >= 0 && value < Infinity) return undefined;
    const kind = this.timeKind;
    const what = kind === undefined ? `${VALID_TIMES.number}, or ${VALID_TIMES.text},` : VALID_TIMES[kind];
    return bad(`Expected ${header[this.fields.time]} ${where} to be ${what} but received ${JSON.stringify(time)}`);
  }

  giveUp(): string {
    const start = this.#start!;
    this.#start = undefined;
    this.#scanner.reset();
    return `Expected the quoted field that begins on line ${start} to end but it does not`;
  }
}
