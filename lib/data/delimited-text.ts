import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Gru4RecError, reason } from "../errors";

/** How a text file separates its fields, and what its first line calls them. */
export interface Dialect {
  readonly delimiter: "\t" | ",";
  readonly header: readonly string[];
}

/** Enough for any header. */
const HEAD_BYTES = 65536;

/** The first bytes of a file. @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read. */
async function readHead(path: string): Promise<Buffer> {
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
    const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : reason(error);
    throw new Gru4RecError("ERR_FILE", `Expected ${path} to be a readable file but ${why}`, { cause: error });
  }
}

/**
 * Reads the header of a TSV or CSV file.
 * @throws {@link Gru4RecError} `ERR_FILE` when the file cannot be read, `ERR_DATA` when it is empty or no text.
 */
export async function readDialect(path: string): Promise<Dialect> {
  const head = await readHead(path);
  if (head.length === 0) throw new Gru4RecError("ERR_DATA", `Expected a header and events in ${path} but it is empty`);
  let text: string;
  try {
    if (head.includes(0)) throw new Error("a zero byte");
    text = new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true });
  } catch (error) {
    const message = `Expected ${path} to be a TSV or CSV file in UTF-8 but it looks like a binary file`;
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

  constructor(private readonly delimiter: string) {}

  /** @returns The fields of the record that the line completes; undefined inside of a quoted field. */
  addLine(line: string): string[] | undefined {
    for (let i = 0; i < line.length; ++i) {
      const char = line[i]!;
      if (this.#quoted) {
        if (char !== '"') this.#field += char;
        else if (line[i + 1] === '"') this.#field += line[++i]!;
        else this.#quoted = false;
      } else if (char === this.delimiter) {
        this.#fields.push(this.#field);
        this.#field = "";
      } else if (char === '"' && this.#field === "") {
        this.#quoted = true;
      } else {
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
    return fields;
  }
}

/**
 * Looks for the first row that cannot be an event. Only for the message of an error: it reads the file once more, slowly.
 * @param columns - Where the ids and the time are among the fields.
 * @returns What was expected and received, with the line number (the header is line 1); undefined if all rows are fine.
 */
export async function findBadRow(
  path: string,
  dialect: Dialect,
  columns: { readonly ids: readonly number[]; readonly time: number },
): Promise<string | undefined> {
  const { delimiter, header } = dialect;
  const scanner = new RecordScanner(delimiter);
  let line = 0;
  let start = 1;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    ++line;
    const fields = scanner.addLine(text);
    if (fields === undefined) continue;
    const where = `on line ${start}`;
    const blank = text === "" && start === line;
    start = line + 1;
    if (line === 1 || blank) continue;

    if (fields.length === header.length + 1 && fields.at(-1) === "") fields.pop(); // a delimiter at the end of the line
    if (fields.length !== header.length)
      return `Expected ${header.length} fields (${header.join(", ")}) ${where} but received ${fields.length}`;
    for (const id of columns.ids)
      if (fields[id] === "") return `Expected ${header[id]} ${where} to be an id but received an empty field`;
    const time = fields[columns.time]!;
    if (time.trim() === "" || !Number.isFinite(Number(time)))
      return `Expected ${header[columns.time]} ${where} to be a finite number but received ${JSON.stringify(time)}`;
    if (text.includes("\ufffd")) return `Expected UTF-8 ${where} but received other bytes`;
  }
  if (start <= line) return `Expected the quoted field that begins on line ${start} to end but it does not`;
  return undefined;
}
