import { z } from "zod";

// The types of hyperparameters. Their message is what was expected, and the type in the documentation: parseConfig
// makes "Expected NAME to be MESSAGE but received …" of it.

const LARGEST_SIZE = 2 ** 31 - 1;

export function integer(minimum: number, maximum = LARGEST_SIZE) {
  const error =
    maximum === Number.MAX_SAFE_INTEGER
      ? `an integer of at least ${minimum}`
      : `an integer from ${minimum} to ${maximum}`;
  return z.int(error).min(minimum, error).max(maximum, error);
}

export function atLeast(minimum: number) {
  const error = `a number of at least ${minimum}`;
  return z.number(error).min(minimum, error);
}

export function above(minimum: number) {
  const error = `a number above ${minimum}`;
  return z.number(error).gt(minimum, error);
}

export function between(minimum: number, maximum: number) {
  const error = `a number from ${minimum} to ${maximum}`;
  return z.number(error).min(minimum, error).max(maximum, error);
}

/** From `minimum` to just below `limit`. */
export function below(minimum: number, limit: number) {
  const error = `a number of at least ${minimum} and below ${limit}`;
  return z.number(error).min(minimum, error).lt(limit, error);
}

/** From just above `limit` to `maximum`. */
export function aboveUpTo(limit: number, maximum: number) {
  const error = `a number above ${limit} and at most ${maximum}`;
  return z.number(error).gt(limit, error).max(maximum, error);
}

export function oneOf<const T extends readonly [string, ...string[]]>(...names: T) {
  return z.enum(names, `one of ${names.join(", ")}`);
}

export function listOf<T extends z.ZodType>(element: T, what: string) {
  return z.array(element, `a list of ${what}`);
}

export function text() {
  const error = "a text that is not empty";
  return z.string(error).min(1, error);
}

export function yesOrNo() {
  return z.boolean("true or false");
}

/** One of some words, or an integer. */
export function wordOrInteger<const T extends readonly [string, ...string[]]>(
  words: T,
  minimum: number,
  maximum = LARGEST_SIZE,
) {
  const error = `${words.map((word) => `"${word}"`).join(", ")} or an integer from ${minimum} to ${maximum}`;
  return z.union([z.literal(words), z.int().min(minimum, error).max(maximum, error)], error);
}
