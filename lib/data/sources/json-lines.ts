import { Gru4RecError, reason, shorten } from "../../errors";
import { isId } from "../ids";
import { parseIsoTime, VALID_TIMES } from "../event-times";
import type { InputFile } from "./files";
import type { ChosenColumns } from "./column-names";
import { isWanted } from "./options";
import { linesOf, type RowJudge, type Verdict } from "./row-judge";

/** Lines in which to look for the names of keys. */
const LINES_OF_HEADER = 100;

/** The keys of a file's first objects. Lines that are none are passed over: the judge says so. */
export async function readKeys({ path, name }: InputFile): Promise<string[]> {
  const keys = new Set<string>();
  for await (const [line, number] of linesOf(path)) {
    if (number > LINES_OF_HEADER) break;
    const object = parseObject(line);
    if (typeof object === "object") for (const key of Object.keys(object)) keys.add(key);
  }
  if (keys.size > 0) return [...keys];
  throw new Gru4RecError("ERR_DATA", `Expected a JSON object on each line of ${name} but its first lines have none`);
}

/** The object of a line, or why it is none. */
function parseObject(line: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    return "it is another value";
  } catch (error) {
    return reason(error);
  }
}

/** How the values of JSON lines are written: all of one key alike. */
export interface JsonKinds {
  readonly session: "text" | "number";
  readonly item: "text" | "number";
  readonly time: "text" | "number";
}

/** Judges the rows of a file of JSON lines. */
export class JsonRowJudge implements RowJudge {
  readonly #kinds: { -readonly [key in keyof JsonKinds]?: JsonKinds[key] };

  /** @param kinds - Of all rows; what is left out is as in the first row that has a good value. */
  constructor(
    private readonly names: ChosenColumns,
    private readonly eventTypes?: readonly string[],
    kinds: Partial<JsonKinds> = {},
  ) {
    this.#kinds = { ...kinds };
  }

  judge(line: string, number: number): Verdict {
    if (line.trim() === "") return "blank";
    const object = parseObject(line);
    const where = `on line ${number}`;
    if (typeof object === "string") return { bad: `Expected a JSON object ${where} but ${object}` };
    const { sessionId, itemId, time, eventType } = this.names;
    const needsItem = isWanted(object[eventType!], this.eventTypes);
    const why =
      this.#judgeId("session", sessionId, object[sessionId], where) ??
      (needsItem ? this.#judgeId("item", itemId, object[itemId], where) : undefined) ??
      this.#judgeTime(time, object[time], where);
    if (why === undefined && line.includes("\ufffd"))
      return { bad: `Expected UTF-8 ${where} but received other bytes` };
    return why === undefined ? "event" : { bad: why };
  }

  #judgeId(field: "session" | "item", name: string, id: unknown, where: string): string | undefined {
    const kind = typeof id === "string" ? "text" : "number";
    // A number above the safe integers has lost its last digits here, but is still an integer.
    const good = isId(id) || (typeof id === "number" && Number.isInteger(id));
    if (good && kind === (this.#kinds[field] ??= kind)) return undefined;
    const what = good ? `${this.#kinds[field] === "text" ? "text" : "an integer"} as before` : "an integer or text";
    return `Expected ${name} ${where} to be ${what} but received ${received(id)}`;
  }

  #judgeTime(name: string, time: unknown, where: string): string | undefined {
    const number = typeof time === "number" || (typeof time === "string" && time.trim() !== "") ? Number(time) : NaN;
    const seconds = typeof time === "string" ? parseIsoTime(time) : undefined;
    if (Number.isFinite(number)) this.#kinds.time ??= "number";
    else if (seconds !== undefined) this.#kinds.time ??= "text";
    const kind = this.#kinds.time;
    const value = kind === "text" ? (seconds ?? NaN) : number;
    if (value >= 0 && value < Infinity) return undefined;
    const what = kind === undefined ? `${VALID_TIMES.number}, or ${VALID_TIMES.text},` : VALID_TIMES[kind];
    return `Expected ${name} ${where} to be ${what} but received ${received(time)}`;
  }

  giveUp(): string {
    throw new Error("A line is a row");
  }
}

const received = (value: unknown) => (value === undefined ? "nothing" : shorten(JSON.stringify(value)));
