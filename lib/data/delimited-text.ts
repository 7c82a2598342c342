import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Gru4RecError, unreadable } from "../errors";
import { parseIsoTime, VALID_TIMES } from "./event-times";

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
  /** The field of an event's type, and the types of the events that need an item; undefined: all need one. */
  readonly wanted?: { readonly field: number; readonly types: readonly string[] } | undefined;
}

/** Enough for any header. */
const HEAD_BYTES = 65536;

/** The first bytes of a file. @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read. */
async function readHead(path: string, name: string): Promise<Buffer> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new Error("it is a directory");
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(name, error);
  }
}

/**
 * Reads the header of a TSV or CSV file.
 * @param name - What messages call it.
 * @throws {@link Gru4RecError} `ERR_FILE` when the file cannot be read, `ERR_DATA` when it is empty or no text.
 */
export async function readDialect(path: string, name: string): Promise<Dialect> {
  const head = await readHead(path, name);
  if (head.length === 0) throw new Gru4RecError("ERR_DATA", `Expected a header and events in ${name} but it is empty`);
  let text: string;
  try {
    if (head.includes(0)) throw new Error("a zero byte");
    text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
  } catch (error) {
    const message = `Expected ${name} to be a TSV or CSV file in UTF-8 but it looks like a binary file`;
    throw new Gru4RecError("ERR_DATA", message, { cause: error });
  }
  const line = text.split(/\r\n|\n|\r/, 1)[0]!;
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
  /** Whether text follows a quoted field's closing quote in a record so far. */
  hasTextAfterQuote = false;

  constructor(private readonly delimiter: string) {}

  /** @returns The fields of the record that the line completes; undefined inside of a quoted field. */
  addLine(line: string): string[] | undefined {
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
    this.#fields = [];
    this.#field = "";
    this.#closed = false;
    return fields;
  }
}

/**
 * Looks for the first row that cannot be an event. Only for the message of an error: it reads the file once more, slowly.
 * @returns What was expected and received, with the line number (the header is line 1); undefined if all rows are fine.
 */
export async function findBadRow(path: string, dialect: Dialect, columns: EventFields): Promise<string | undefined> {
  const { delimiter, header } = dialect;
  const scanner = new RecordScanner(delimiter);
  let timeKind: "number" | "text" | undefined; // the first row decides
  let line = 0;
  let start = 1;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    ++line;
    const fields = scanner.addLine(text);
    if (fields === undefined) continue;
    const where = `on line ${start}`;
    const blank = text === "" && start === line;
    start = line + 1;
    if (scanner.hasTextAfterQuote)
      return `Expected a quoted field ${where} to end with its quote but more text follows`;
    if (line === 1 || blank) continue;

    if (fields.length === header.length + 1 && fields.at(-1) === "") fields.pop(); // a delimiter at the end of the line
    if (fields.length !== header.length)
      return `Expected ${header.length} fields (${header.join(", ")}) ${where} but received ${fields.length}`;
    const { wanted } = columns;
    const needsItem = wanted === undefined || wanted.types.includes(fields[wanted.field]!);
    for (const id of needsItem ? [columns.session, columns.item] : [columns.session])
      if (fields[id] === "") return `Expected ${header[id]} ${where} to be an id but received an empty field`;
    const time = fields[columns.time]!;
    const number = time.trim() === "" ? NaN : Number(time);
    const seconds = parseIsoTime(time);
    if (Number.isFinite(number)) timeKind ??= "number";
    else if (seconds !== undefined) timeKind ??= "text";
    const value = timeKind === "text" ? (seconds ?? NaN) : number;
    if (!(value >= 0 && value < Infinity)) {
      const what = timeKind === undefined ? `${VALID_TIMES.number}, or ${VALID_TIMES.text},` : VALID_TIMES[timeKind];
      return `Expected ${header[columns.time]} ${where} to be ${what} but received ${JSON.stringify(time)}`;
    }
    if (text.includes("\ufffd")) return `Expected UTF-8 ${where} but received other bytes`;
  }
  if (start <= line) return `Expected the quoted field that begins on line ${start} to end but it does not`;
  return undefined;
}
