import type { DuckDBConnection } from "@duckdb/node-api";
import { GrowingColumn } from "../rows/growing";
import { KeyNumbering, SIGN, type Keys } from "../rows/keys";
import { allTrue, doublesOf, flagsOf, forEachChunk, wordsOf } from "./chunks";
import { isIdSql, isIntegerTextSql, timeSql, wantedSql, type Relation, type TimeColumnType } from "./relation";

/** As what columns are read. */
export interface Guess {
  readonly session: "integer" | "text";
  readonly item: "integer" | "text";
  readonly time: TimeColumnType | "ISO 8601";
}

/** A column holds what the guess does not have. */
export class WrongGuess extends Error {
  constructor(readonly instead: Partial<Guess>) {
    super("The rows are read again");
  }
}

/** SQL of the key of an id. */
export type KeyOf = (sql: string, read: "integer" | "text") => string;

/** Rows in the order of the relation. */
export interface Rows {
  /** [rows] numbers of the items in the order of their first appearance; -1 = the event is not wanted */
  readonly items: Int32Array;
  readonly itemKeys: KeyNumbering;
  /** [items]; undefined: the ids are integers, and are their keys */
  readonly itemTexts: readonly string[] | undefined;
  /** [rows] integers with the highest bit turned, or hashes */
  readonly sessionKeys: Keys;
  /** [rows] */
  readonly times: Float64Array;
}

const uint32s = (length: number) => new Uint32Array(length);

/**
 * Takes the rows of a relation.
 * @throws {@link WrongGuess}; an error without a place for rows that are no events.
 */
export async function takeRows(
  connection: DuckDBConnection,
  relation: Relation,
  guess: Guess,
  keyOf: KeyOf,
): Promise<Rows> {
  const { from, session, item, time } = relation;
  const wanted = wantedSql(relation);
  const items = new GrowingColumn((length) => new Int32Array(length));
  const times = new GrowingColumn((length) => new Float64Array(length));
  const low = new GrowingColumn(uint32s);
  const high = new GrowingColumn(uint32s);
  const itemKeys = new KeyNumbering();
  const itemTexts: string[] | undefined = guess.item === "text" ? [] : undefined;
  const signs = { session: guess.session === "integer" ? SIGN : 0, item: guess.item === "integer" ? SIGN : 0 };
  let count = 0;
  const columns = [
    `coalesce(${keyOf(session.sql, guess.session)}, 0)`,
    `coalesce(${keyOf(item.sql, guess.item)}, 0)`,
    `coalesce(${timeSql(time.sql, guess.time)}, -1)`,
    isAsGuessed(session, guess.session),
    `NOT ${wanted} OR ${isAsGuessed(item, guess.item)}`,
    wanted,
    ...(itemTexts === undefined ? [] : [item.sql]),
  ];
  await forEachChunk(connection, `SELECT ${columns.join(", ")} FROM ${from}`, (chunk) => {
    if (!allTrue(chunk, 3)) throw wrongId(session, guess, "session");
    if (!allTrue(chunk, 4)) throw wrongId(item, guess, "item");
    const sessionWords = wordsOf(chunk, 0);
    const itemWords = wordsOf(chunk, 1);
    const seconds = doublesOf(chunk, 2);
    const isWanted = flagsOf(chunk, 5);
    const texts = itemTexts && chunk.getColumnVector(6);
    for (const column of [items, times, low, high]) column.reserve(count + seconds.length);
    const [itemValues, lowValues, highValues] = [items.values, low.values, high.values];
    times.values.set(seconds, count);
    for (let i = 0; i < seconds.length; ++i) {
      if (!(seconds[i]! >= 0 && seconds[i]! < Infinity)) throw wrongTime(guess);
      lowValues[count + i] = sessionWords[2 * i]!;
      highValues[count + i] = sessionWords[2 * i + 1]! ^ signs.session;
      if (isWanted[i] === 0) {
        itemValues[count + i] = -1;
        continue;
      }
      const number = itemKeys.numberOf(itemWords[2 * i]!, (itemWords[2 * i + 1]! ^ signs.item) >>> 0);
      itemValues[count + i] = number;
      if (number === itemTexts?.length) itemTexts.push(texts!.getItem(i) as string);
    }
    count += seconds.length;
  });
  return {
    items: items.take(count),
    itemKeys,
    itemTexts,
    sessionKeys: { low: low.take(count), high: high.take(count) },
    times: times.take(count),
  };
}

/** SQL that is true where an id can be read as guessed. */
function isAsGuessed({ sql, type }: Relation["item"], read: "integer" | "text"): string {
  return type === "text or integer" && read === "integer" ? isIntegerTextSql(sql) : isIdSql(sql, type);
}

function wrongId({ type }: Relation["item"], guess: Guess, column: "session" | "item"): Error {
  if (type === "text or integer" && guess[column] === "integer") return new WrongGuess({ [column]: "text" });
  return new Error("Expected ids");
}

function wrongTime({ time }: Guess): Error {
  return time === "text" ? new WrongGuess({ time: "ISO 8601" }) : new Error("Expected times from 0 on");
}
