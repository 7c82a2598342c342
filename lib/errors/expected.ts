const LONGEST_VALUE = 60;

/** The beginning of a text that is too long for a message. */
export function shorten(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

/** A value as error messages show it: `6 (number)`, `"abc" (string)`, `[100,0] (array)`. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === "string") return `${shorten(JSON.stringify(value))} (string)`;
  if (Array.isArray(value)) return `[${shorten(value.map(String).join(","))}] (array)`;
  if (typeof value === "object") return `${Object.prototype.toString.call(value).slice(8, -1)} (object)`;
  if (typeof value === "function") return "a function";
  return `${shorten((value as number | bigint | boolean | symbol).toString())} (${typeof value})`;
}

/** "Expected k to be an integer from 1 to 5 but received 6 (number)" */
export function expected(name: string, what: string, received: unknown): string {
  return `Expected ${name} to be ${what} but received ${describeValue(received)}`;
}

/** Text of an error, without its stack and on one line. */
export function reason(error: unknown): string {
  const text = hasMessage(error) ? error.message : String(error);
  return text.split("\n", 1)[0]!.trim();
}

function hasMessage(error: unknown): error is { message: string } {
  return typeof error === "object" && error !== null && typeof (error as { message?: unknown }).message === "string";
}
