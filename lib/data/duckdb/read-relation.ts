import type { DuckDBConnection } from "@duckdb/node-api";
import { checkEventCount, makeLog, type EventLog } from "../event-log";
import { scaleToSeconds, type TimeUnit } from "../event-times";
import { makeIdList, type IdKind, type IdList, type IdSequence } from "../ids";
import { PackedText } from "../packed-text";
import { countUp } from "../rows/count-up";
import { groupEvents, type GroupedEvents } from "../rows/group-events";
import { highOf, SIGN, type Keys } from "../rows/keys";
import { permuteGroups } from "../rows/permute-groups";
import { sortByKey } from "../rows/sort-by-key";
import { forEachChunk, wordsOf } from "./chunks";
import { keySql, wantedSql, type Relation } from "./relation";
import { takeRows, WrongGuess, type Guess, type KeyOf, type Rows } from "./take-rows";

export interface ReadRelationOptions {
  /** Of times that are numbers; undefined: found out. */
  readonly timeUnit: TimeUnit | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What tests have otherwise. */
interface Keying {
  readonly keySql: typeof keySql;
  /** Most texts of items of which none is asked whether two have one key: that happens once in 10^8 logs of so many. */
  readonly mostUnchecked: number;
}

const KEYING: Keying = { keySql, mostUnchecked: 1_000_000 };
/** Times that texts may turn out to have equal keys. */
const MOST_SALTS = 8;

/**
 * Reads a relation. Ids are taken for integers and times for numbers until one is none; then it is read again, ids as
 * text and times as ISO 8601. No text is ever kept for an event.
 * @returns Events in the order of a log; the item of one that is not wanted is -1.
 * @throws An error without a place for rows that are no events.
 */
export async function readRelation(
  connection: DuckDBConnection,
  relation: Relation,
  { timeUnit, signal }: ReadRelationOptions,
  keying = KEYING,
): Promise<EventLog> {
  let guess: Guess = {
    session: relation.session.type === "text" ? "text" : "integer",
    item: relation.item.type === "text" ? "text" : "integer",
    time: relation.time.type,
  };
  for (let salt = 0; salt < MOST_SALTS;) {
    const keyOf: KeyOf = (sql, read) => keying.keySql(sql, read, salt);
    let rows: Rows;
    try {
      rows = await takeRows(connection, relation, guess, keyOf);
    } catch (error) {
      if (!(error instanceof WrongGuess)) throw error;
      guess = { ...guess, ...error.instead };
      continue;
    }
    checkEventCount(rows.count);
    const sessions = await sessionsOf(connection, relation, guess, rows, keyOf, signal);
    const haveKeys = await itemsHaveKeys(connection, relation, rows, keying.mostUnchecked);
    if (sessions === undefined || !haveKeys) {
      ++salt;
      continue;
    }
    if (guess.time === "number" || guess.time === "text") scaleToSeconds(sessions.grouped.times, timeUnit);
    return makeLog({ ...itemIdsOf(rows), ...sessions.ids }, sessions.grouped, signal);
  }
  throw new Error(`Expected different ids to have different keys but ${MOST_SALTS} times they had not`);
}

/** Whether each text has a key of its own, where there are so many that chance could have it otherwise. */
async function itemsHaveKeys(
  connection: DuckDBConnection,
  relation: Relation,
  { itemTexts }: Rows,
  mostUnchecked: number,
): Promise<boolean> {
  if (itemTexts === undefined || itemTexts.length <= mostUnchecked) return true;
  const sql = `SELECT count(DISTINCT ${relation.item.sql})::DOUBLE FROM ${relation.from} WHERE ${wantedSql(relation)}`;
  return (await connection.runAndReadAll(sql)).getRows()[0]![0] === itemTexts.length;
}

function itemIdsOf({ itemKeys, itemTexts }: Rows): { itemKind: IdKind; itemIds: IdList } {
  if (itemTexts !== undefined) return { itemKind: "string", itemIds: makeIdList(itemTexts, "string") };
  const { kind, ids } = integersOf(itemKeys.keys());
  return { itemKind: kind, itemIds: ids };
}

interface SessionIds {
  readonly sessionKind: IdKind;
  readonly sessionIds: IdSequence;
}

/** The sessions in ascending order of their ids; undefined where two texts have the same key. */
async function sessionsOf(
  connection: DuckDBConnection,
  { from, session }: Relation,
  guess: Guess,
  { blocks }: Rows,
  keyOf: KeyOf,
  signal: AbortSignal | undefined,
): Promise<{ grouped: Omit<GroupedEvents, "keys">; ids: SessionIds } | undefined> {
  const { keys, ...grouped } = await groupEvents(blocks, signal);
  if (guess.session === "integer") {
    const { kind, ids } = integersOf(keys);
    return { grouped, ids: { sessionKind: kind, sessionIds: ids } };
  }
  // Groups are in the order of the hashes: find out at which place each id, in its own order, has its hash.
  const texts: string[] = [];
  const low: number[] = [];
  const high: number[] = [];
  await forEachChunk(
    connection,
    `SELECT id, ${keyOf("id", "text")} FROM (SELECT DISTINCT ${session.sql} AS id FROM ${from}) ORDER BY id`,
    (chunk) => {
      const ids = chunk.getColumnVector(0);
      const words = wordsOf(chunk, 1);
      for (let i = 0; 2 * i < words.length; ++i) {
        texts.push(ids.getItem(i) as string);
        low.push(words[2 * i]!);
        high.push(words[2 * i + 1]!);
      }
    },
  );
  if (texts.length !== grouped.offsets.length - 1) return undefined;
  const byKey = await sortByKey(
    { rows: countUp(low.length), low: Uint32Array.from(low), high: Uint32Array.from(high) },
    signal,
  );
  const groupOf = new Int32Array(texts.length);
  byKey.rows.forEach((place, group) => (groupOf[place] = group));
  const ids: SessionIds = { sessionKind: "string", sessionIds: PackedText.of(texts) };
  return { grouped: await permuteGroups(grouped, groupOf, signal), ids };
}

/** The integers that keys stand for: numbers where all are safe. */
function integersOf(keys: Keys): { kind: "number" | "bigint"; ids: Float64Array | BigInt64Array } {
  const { low } = keys;
  const numbers = new Float64Array(low.length);
  let safe = true;
  for (let i = 0; i < low.length; ++i) {
    numbers[i] = ((highOf(keys, i) ^ SIGN) | 0) * 2 ** 32 + low[i]!;
    safe &&= Number.isSafeInteger(numbers[i]);
  }
  if (safe) return { kind: "number", ids: numbers };
  const ids = new BigInt64Array(low.length);
  for (let i = 0; i < low.length; ++i) ids[i] = (BigInt((highOf(keys, i) ^ SIGN) | 0) << 32n) | BigInt(low[i]!);
  return { kind: "bigint", ids };
}
