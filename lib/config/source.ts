import { checkOptions, ConfigError, unknownName, type Problem } from "../errors";
import { isParameterName, parameterNames } from "./schema";

/** A parameter as somebody gave it. */
export interface Given {
  /** What it was called there. */
  readonly name: string;
  /** Not yet checked. */
  readonly value: unknown;
  /** Where it stands in a file: `params.py:3:5`. */
  readonly place?: string;
}

/** Parameters of one origin: options, a parameter string, a file. */
export interface Source {
  /** Whether it is in the author's notation, with his names and defaults. */
  readonly author: boolean;
  /** By our name of the parameter; the author's notation has two more that say something about another parameter. */
  readonly given: ReadonlyMap<string, Given>;
  /** Problems found on the way here. */
  readonly problems: readonly Problem[];
}

/** A problem of a parameter; `path` is its name, and an index behind it where an element of a list is wrong. */
export function problemOf(path: string, message: string, place?: string): Problem {
  return { path, message: place === undefined ? message : `${place}: ${message}` };
}

/** @param keyOf - The key of a name in `given`; undefined for a name that nobody knows. */
export function collect(
  entries: readonly Given[],
  author: boolean,
  keyOf: (name: string) => string | undefined,
  knownNames: readonly string[],
): Source {
  const problems: Problem[] = [];
  const given = new Map<string, Given>();
  for (const entry of entries) {
    const { name, place } = entry;
    const key = keyOf(name);
    if (key === undefined) problems.push(problemOf(name, unknownName("parameter", name, knownNames), place));
    else if (given.has(key)) problems.push(problemOf(name, `Expected ${name} once but received it twice`, place));
    else given.set(key, entry);
  }
  return { author, given, problems };
}

/** Parameters under our names. */
export function ourSource(entries: readonly Given[]): Source {
  return collect(entries, false, (name) => (isParameterName(name) ? name : undefined), parameterNames);
}

/**
 * Parameters from code or from flags; undefined ones count as left out.
 * @param options - By our names.
 * @param nameOf - What the caller calls them.
 * @throws {@link Gru4RecError} `ERR_ARGUMENT` where `options` is no object.
 */
export function optionsSource(options: unknown, nameOf: (name: string) => string = (name) => name): Source {
  checkOptions(options);
  const entries = Object.entries(options as object).filter(([, value]) => value !== undefined);
  const { given, problems } = ourSource(entries.map(([name, value]) => ({ name, value: value as unknown })));
  const called = [...given].map(([key, entry]) => [key, { ...entry, name: nameOf(key) }] as const);
  return { author: false, given: new Map(called), problems };
}

/** The error of a file or string that cannot be read beyond a place. */
export function syntaxError(place: string, what: string, received: string): ConfigError {
  return new ConfigError([problemOf(place, `Expected ${what} but received ${received}`, place)]);
}

/** Names the places of a file's text: `params.py:3:5` by the offset; line and column begin at 1. */
export function placesOf(path: string, text: string): (offset: number) => string {
  const lineStarts = [0, ...Array.from(text.matchAll(/\r\n|\n|\r/g), (end) => end.index + end[0].length)];
  return (offset) => {
    const line = lineStarts.filter((start) => start <= offset).length;
    return `${path}:${line}:${offset - lineStarts[line - 1]! + 1}`;
  };
}
