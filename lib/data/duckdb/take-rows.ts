import type { DuckDBConnection } from "@duckdb/node-api";
import { OTHER_TYPE } from "../other-type";
import type { EventColumns } from "../rows/event-columns";
import { KeyNumbering } from "../rows/key-numbering";
import { SIGN } from "../rows/keys";
import { bytesOf, doublesOf, forEachChunk, wordsOf } from "./chunks";
import { RowBlocks } from "./row-blocks";
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
  readonly count: number;
  /**
   * The items are numbers in the order of their first appearance, or OTHER_TYPE; the keys integers with the
   * highest bit turned, or hashes.
   */
  readonly blocks: readonly EventColumns[];
  readonly itemKeys: KeyNumbering;
  /** [items]; undefined: the ids are integers, and are their keys */
  readonly itemTexts: readonly string[] | undefined;
}

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
  const blocks = new RowBlocks();
  const itemKeys = new KeyNumbering();
  const itemTexts: string[] | undefined = guess.item === "text" ? [] : undefined;
  const signs = { session: guess.session === "integer" ? SIGN : 0, item: guess.item === "integer" ? SIGN : 0 };
  let count = 0;
  const columns = [
    `coalesce(${keyOf(session.sql, guess.session)}, 0)`,
    `coalesce(${keyOf(item.sql, guess.item)}, 0)`,
    `coalesce(${timeSql(time.sql, guess.time)}, -1)`,
    verdictSql(relation, guess),
    ...(itemTexts === undefined ? [] : [item.sql]),
  ];
  await forEachChunk(connection, `SELECT ${columns.join(", ")} FROM ${from}`, (chunk) => {
    const sessionWords = wordsOf(chunk, 0);
    const itemWords = wordsOf(chunk, 1);
    const seconds = doublesOf(chunk, 2);
    const verdicts = bytesOf(chunk, 3);
    const { block, first } = blocks.add(seconds.length);
    const { keys, items, times } = block;
    for (let i = 0; i < seconds.length; ++i) {
      const time = seconds[i]!;
      if (!(time >= 0 && time < Infinity)) throw wrongTime(guess);
      times[first + i] = time + 0; // zero has one form: times are sorted by their bits
      keys.low[first + i] = sessionWords[2 * i]!;
      keys.high[first + i] = sessionWords[2 * i + 1]! ^ signs.session;
      if (verdicts[i] !== GOOD) {
        if (verdicts[i] === WRONG_SESSION) throw wrongId(session, guess, "session");
        if (verdicts[i] === WRONG_ITEM) throw wrongId(item, guess, "item");
        items[first + i] = OTHER_TYPE;
        continue;
      }
      const number = itemKeys.numberOf(itemWords[2 * i]!, (itemWords[2 * i + 1]! ^ signs.item) >>> 0);
      items[first + i] = number;
      if (number === itemTexts?.length) itemTexts.push(chunk.getColumnVector(4).getItem(i) as string);
    }
    count += seconds.length;
  });
  return {
    count,
    blocks: blocks.all(),
    itemKeys,
    itemTexts,
  };
}

// What a row is.
const GOOD = 0;
const WRONG_SESSION = 1;
const WRONG_ITEM = 2;
const UNWANTED = 3;

/** SQL of what a row is, as far as its ids say. */
function verdictSql({ session, item, wanted }: Relation, guess: Guess): string {
  const cases = [`WHEN NOT ${isAsGuessed(session, guess.session)} THEN ${WRONG_SESSION}`];
  if (wanted !== undefined) cases.push(`WHEN NOT ${wantedSql({ wanted })} THEN ${UNWANTED}`);
  cases.push(`WHEN NOT ${isAsGuessed(item, guess.item)} THEN ${WRONG_ITEM}`);
  return `CASE ${cases.join(" ")} ELSE ${GOOD} END::UTINYINT`;
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
