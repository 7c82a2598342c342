import { syntaxError } from "./source";

/** A token of a Python file; that of a string has its value. */
export interface Token {
  readonly kind: "name" | "number" | "string" | "symbol" | "newline" | "end";
  /** As it stands in the file. */
  readonly text: string;
  readonly value: string;
  readonly offset: number;
}

const BLANK = /[ \t\f]+|#[^\n\r]*/y;
const NEWLINE = /\r\n|\n|\r/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const DIGITS = String.raw`\d+(?:_\d+)*`;
const NUMBER = new RegExp(String.raw`(?:${DIGITS}\.?(?:${DIGITS})?|\.${DIGITS})(?:[eE][+-]?${DIGITS})?`, "y");

/** Escapes of one letter. */
// prettier-ignore
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\", "'": "'", '"': '"', a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v",
};
/** A character by its number: \x41, \u0041, \U00000041 in hexadecimal, \101 in octal digits. */
const NUMBERED_ESCAPE = /x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{1,3}/y;
const LARGEST_CHARACTER = 0x10ffff;

/**
 * Splits a Python file into tokens: as many kinds as a file of literals has. Line breaks inside of brackets and empty
 * lines are left out; a character that begins no token is a symbol, which the parser then refuses.
 * @throws {@link ConfigError} where a string or a number does not end as it should.
 */
export function tokenise(text: string, placeOf: (offset: number) => string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  let offset = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = offset;
    return pattern.exec(text)?.[0];
  };
  const add = (kind: Token["kind"], raw: string, value = raw) => {
    tokens.push({ kind, text: raw, value, offset });
    offset += raw.length;
  };

  while (offset < text.length) {
    const blank = match(BLANK);
    const newline = match(NEWLINE);
    const char = text[offset]!;
    let part: string | undefined;
    if (blank !== undefined) offset += blank.length;
    else if (newline !== undefined) {
      if (depth > 0 || (tokens.at(-1)?.kind ?? "newline") === "newline") offset += newline.length;
      else add("newline", newline);
    } else if ((part = match(NAME)) !== undefined) add("name", part);
    else if ((part = match(NUMBER)) !== undefined) {
      add("number", part);
      const rest = match(NAME) ?? match(NUMBER);
      if (rest !== undefined) throw syntaxError(placeOf(offset - part.length), "a decimal number", part + rest);
    } else if (char === "'" || char === '"') {
      const { end, value } = readString(text, offset, placeOf);
      add("string", text.slice(offset, end), value);
    } else {
      if ("([{".includes(char)) ++depth;
      if (")]}".includes(char)) --depth;
      add("symbol", String.fromCodePoint(text.codePointAt(offset)!));
    }
  }
  add("end", "");
  return tokens;
}

function readString(text: string, start: number, placeOf: (offset: number) => string): { end: number; value: string } {
  const quote = text[start]!;
  const refuse = (at: number, what: string, received: string) => syntaxError(placeOf(at), what, received);
  if (text.startsWith(quote.repeat(3), start)) throw refuse(start, "a text in single quotes", quote.repeat(3));
  let value = "";
  let i = start + 1;
  while (text[i] !== quote) {
    const char = text[i];
    if (char === undefined || char === "\n" || char === "\r")
      throw refuse(
        i,
        `${quote} at the end of the text`,
        char === undefined ? "the end of the file" : "the end of the line",
      );
    ++i;
    if (char !== "\\") {
      value += char;
      continue;
    }
    const simple = ESCAPES[text[i] ?? ""];
    NUMBERED_ESCAPE.lastIndex = i;
    const numbered = NUMBERED_ESCAPE.exec(text)?.[0];
    const code =
      numbered === undefined ? -1 : /^\d/.test(numbered) ? parseInt(numbered, 8) : parseInt(numbered.slice(1), 16);
    if (simple === undefined && (code < 0 || code > LARGEST_CHARACTER))
      throw refuse(i - 1, "an escape such as \\n or \\u00e9", text.slice(i - 1, i + 1));
    value += simple ?? String.fromCodePoint(code);
    i += simple === undefined ? numbered!.length : 1;
  }
  return { end: i + 1, value };
}
