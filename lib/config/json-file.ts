import { getNodeValue, parseTree, printParseErrorCode, type ParseError } from "jsonc-parser";
import { shorten } from "../errors";
import { placesOf, syntaxError, type Given } from "./source";

type ParseErrorName = ReturnType<typeof printParseErrorCode>;

/** What was expected, by the parser's name of the error. */
const EXPECTED: Readonly<Record<ParseErrorName, string>> = {
  InvalidSymbol: "a value",
  InvalidNumberFormat: "a number",
  PropertyNameExpected: "a parameter's name in double quotes",
  ValueExpected: "a value",
  ColonExpected: ":",
  CommaExpected: ",",
  CloseBraceExpected: "}",
  CloseBracketExpected: "]",
  EndOfFileExpected: "the end of the file",
  InvalidCommentToken: "no comment",
  UnexpectedEndOfComment: "*/ at the end of the comment",
  UnexpectedEndOfString: '" at the end of the text',
  UnexpectedEndOfNumber: "a digit at the end of the number",
  InvalidUnicode: "four hexadecimal digits behind \\u",
  InvalidEscapeCharacter: "an escape such as \\n or \\u00e9",
  InvalidCharacter: "a text without control characters",
  "<unknown ParseErrorCode>": "JSON",
};

/**
 * Reads a configuration file of JSON, with comments and trailing commas if it likes.
 * @param path - For messages.
 * @throws {@link ConfigError} where it is no JSON object.
 */
export function readJsonFile(path: string, text: string): Given[] {
  try {
    return parseObject(text, placesOf(path, text));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw syntaxError(path, "a list of values", "thousands of brackets in one another"); // the stack was full
  }
}

function parseObject(text: string, placeOf: (offset: number) => string): Given[] {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [error] = errors; // those behind the first mostly follow from it
  if (error !== undefined) {
    const received = shorten(text.slice(error.offset, error.offset + error.length)) || "the end of the file";
    throw syntaxError(placeOf(error.offset), EXPECTED[printParseErrorCode(error.error)], received);
  }
  if (root?.type !== "object")
    throw syntaxError(placeOf(root?.offset ?? 0), "an object {…} of parameters", root?.type ?? "nothing");
  return root.children!.map(({ children, offset }) => {
    const [name, value] = children!;
    return { name: String(name!.value), value: getNodeValue(value!) as unknown, place: placeOf(offset) };
  });
}
