import type { DuckDBConnection } from "@duckdb/node-api";
import { arrangeLog, checkEventCount, type EventLog } from "../event-log";
import { scaleToSeconds, type TimeUnit } from "../event-times";
import { idSequence, makeIdList, type IdKind, type IdList, type IdSequence, type ItemId } from "../ids";
import { groupByKey, permuteGroups, type GroupedRows } from "../rows/group-rows";
import { KeyNumbering, type Keys } from "../rows/keys";
import { doublesOf, forEachChunk, wordsOf } from "./chunks";
import { isIdSql, keySql, kindSql, timeSql, wantedSql, type Relation } from "./relation";

export interface ReadRelationOptions {
  /** Of times that are numbers; undefined: found out. */
  readonly timeUnit: TimeUnit | undefined;
  readonly signal: AbortSignal | undefined;
}

/** What a first pass over the rows finds out. */
interface Summary {
  readonly events: number;
  readonly sessionKind: IdKind;
  readonly itemKind: IdKind;
  /** Whether a session's key has more than 32 bits. */
  readonly longSessions: boolean;
  readonly time: "number" | "ISO 8601" | "timestamp" | "text";
}

/** Words are added to keys until no two texts of a log have the same one. Chance needs the second one in a million logs. */
const MOST_SALTS = 8;

/**
 * Reads a relation: once to count its events and to find what its ids and times are, once to take them. So each event
 * needs 24 bytes from the start, and no text is ever kept for an event. The items of events that are not wanted are -1.
 * @param keyFor - SQL of an id's key; another one in tests.
 * @throws An error without a place for rows that are no events.
 */
export async function readRelation(
  connection: DuckDBConnection,
  relation: Relation,
  { timeUnit, signal }: ReadRelationOptions,
  keyFor = keySql,
): Promise<EventLog> {
  const summary = await summarise(connection, relation);
  for (let salt = 0; salt < MOST_SALTS; ++salt) {
    const keyOf = (column: Relation["item"], kind: IdKind) => keyFor(column.sql, kind, salt);
    const rows = await takeRows(connection, relation, summary, keyOf);
    const itemIds = await itemIdsOf(connection, summary.itemKind, rows.itemKeys, (id) =>
      keyFor(id, summary.itemKind, salt),
    );
    const sessions = await sessionsOf(connection, relation, summary, rows.sessionKeys, keyOf, signal);
    if (itemIds === undefined || sessions === undefined) continue; // two texts of one key
    if (summary.time === "number" || summary.time === "text") scaleToSeconds(rows.times, timeUnit);
    const { itemKind, sessionKind } = summary;
    const ids = { itemKind, itemIds, sessionKind, sessionIds: sessions.ids };
    return arrangeLog(ids, rows, sessions.grouped, signal);
  }
  throw new Error(`Expected different ids to have different keys but ${MOST_SALTS} times they had not`);
}

/** Leaves the table `item_ids` with the distinct items. */
async function summarise(connection: DuckDBConnection, relation: Relation): Promise<Summary> {
  const { from, session, item, time } = relation;
  const wanted = wantedSql(relation);
  const itemId = relation.wanted === undefined ? item.sql : `CASE WHEN ${wanted} THEN ${item.sql} END`;
  const integer = `TRY_CAST(${session.sql} AS BIGINT)`;
  await connection.run(
    `CREATE TABLE item_ids AS SELECT ${itemId} AS id, count(*) AS events, ` +
      `bool_and(${isIdSql(session.sql, session.type)}) AS have_sessions, ` +
      `bool_and(NOT ${wanted} OR ${isIdSql(item.sql, item.type)}) AS have_items, ` +
      `${kindSql(session.sql, session.type)} AS session_kind, ` +
      `min(${session.type === "text" ? "0" : integer}) AS first_session, ` +
      `max(${session.type === "text" ? "0" : integer}) AS last_session, ` +
      `bool_and(coalesce(isfinite(${timeSql(time.sql, time.type)}), false)) AS timed, ` +
      `min(${timeSql(time.sql, time.type)}) AS first_time FROM ${from} GROUP BY ${itemId}`,
  );
  const reader = await connection.runAndReadAll(
    `SELECT coalesce(sum(events), 0)::DOUBLE, bool_and(have_sessions) AND bool_and(have_items), ` +
      "CASE WHEN bool_or(session_kind = 'string') THEN 'string' WHEN bool_or(session_kind = 'bigint') THEN 'bigint' ELSE 'number' END, " +
      `min(first_session) < 0 OR max(last_session) >= ${2 ** 32}, ` +
      `coalesce((SELECT ${kindSql("id", item.type)} FROM item_ids WHERE id IS NOT NULL LIMIT 1), 'string'), bool_and(timed), ` +
      "min(first_time) FROM item_ids",
  );
  const [events, haveIds, sessionKind, longSessions, itemKind, timed, firstTime] = reader.getRows()[0] as [
    ...[number, boolean, IdKind, boolean, IdKind, boolean, number],
  ];
  checkEventCount(events);
  if (!haveIds) throw new Error("Expected ids");
  if (!timed && time.type !== "text") throw new Error("Expected times");
  if (timed && firstTime < 0) throw new Error("Expected times from 0 on");
  return {
    events,
    sessionKind,
    itemKind,
    longSessions: sessionKind === "string" || longSessions,
    time: timed ? time.type : "ISO 8601",
  };
}

/** Rows in the order of the relation. */
interface Rows {
  readonly items: Int32Array;
  readonly itemKeys: KeyNumbering;
  readonly sessionKeys: Keys;
  readonly times: Float64Array;
}

/** The highest bit, which turns the order of signed integers into that of unsigned ones. */
const SIGN = 0x80000000;

async function takeRows(
  connection: DuckDBConnection,
  relation: Relation,
  summary: Summary,
  keyOf: (column: Relation["item"], kind: IdKind) => string,
): Promise<Rows> {
  const { from, session, item, time } = relation;
  const { events, sessionKind, itemKind } = summary;
  const items = new Int32Array(events);
  const itemKeys = new KeyNumbering();
  const low = new Uint32Array(events);
  const high = summary.longSessions ? new Uint32Array(events) : undefined;
  const times = new Float64Array(events);
  const sign = sessionKind === "string" ? 0 : SIGN;
  let event = 0;
  await forEachChunk(
    connection,
    `SELECT ${keyOf(session, sessionKind)}, coalesce(${keyOf(item, itemKind)}, 0), ` +
      `coalesce(${timeSql(time.sql, summary.time)}, -1), ${wantedSql(relation)}::DOUBLE FROM ${from}`,
    (chunk) => {
      const { rowCount } = chunk;
      if (event + rowCount > events) throw new Error(`Expected ${events} events as counted before but received more`);
      const sessionWords = wordsOf(chunk, 0);
      const itemWords = wordsOf(chunk, 1);
      times.set(doublesOf(chunk, 2), event);
      const wanted = relation.wanted === undefined ? undefined : doublesOf(chunk, 3);
      for (let i = 0; i < 2 * rowCount; i += 2, ++event) {
        low[event] = sessionWords[i]!;
        if (high !== undefined) high[event] = sessionWords[i + 1]! ^ sign;
        const isWanted = wanted === undefined || wanted[i / 2] === 1;
        items[event] = isWanted ? itemKeys.numberOf(itemWords[i]!, itemWords[i + 1]!) : -1;
      }
    },
  );
  if (event !== events) throw new Error(`Expected ${events} events as counted before but received ${event}`);
  if (summary.time === "ISO 8601" && times.some((seconds) => !(seconds >= 0)))
    throw new Error("Expected times from 0 on");
  return { items, itemKeys, sessionKeys: { low, high }, times };
}

/** Ids by the numbers of their keys; undefined where two have the same key. */
async function itemIdsOf(
  connection: DuckDBConnection,
  kind: IdKind,
  numbering: KeyNumbering,
  keyOf: (id: string) => string,
): Promise<IdList | undefined> {
  const ids = new Array<ItemId>(numbering.size);
  let count = 0;
  await forEachChunk(
    connection,
    `SELECT ${keyOf("id")}, ${typedId("id", kind)} FROM item_ids WHERE id IS NOT NULL`,
    (chunk) => {
      const words = wordsOf(chunk, 0);
      const values = chunk.getColumnVector(1);
      const { rowCount } = chunk;
      for (let i = 0; i < rowCount; ++i, ++count)
        ids[numbering.find(words[2 * i]!, words[2 * i + 1]!)!] = values.getItem(i) as ItemId;
    },
  );
  return count === ids.length ? makeIdList(ids, kind) : undefined;
}

const SQL_TYPES: Readonly<Record<IdKind, string>> = { number: "DOUBLE", bigint: "BIGINT", string: "VARCHAR" };
const typedId = (id: string, kind: IdKind) => `${id}::${SQL_TYPES[kind]}`;

/** The sessions in ascending order of their ids; undefined where two ids have the same key. */
async function sessionsOf(
  connection: DuckDBConnection,
  { from, session }: Relation,
  { sessionKind }: Summary,
  keys: Keys,
  keyOf: (column: Relation["item"], kind: IdKind) => string,
  signal: AbortSignal | undefined,
): Promise<{ grouped: GroupedRows; ids: IdSequence } | undefined> {
  const grouped = await groupByKey(keys, signal);
  if (sessionKind !== "string") return { grouped, ids: idsOfKeys(grouped.keys, sessionKind) };
  // Groups are in the order of the hashes: find out at which place each id, in its own order, has its hash.
  const ids: string[] = [];
  const low: number[] = [];
  const high: number[] = [];
  await forEachChunk(
    connection,
    `SELECT id, ${keyOf({ sql: "id", type: "text" }, "string")} FROM (SELECT DISTINCT ${session.sql} AS id FROM ${from}) ORDER BY id`,
    (chunk) => {
      const texts = chunk.getColumnVector(0);
      const words = wordsOf(chunk, 1);
      const { rowCount } = chunk;
      for (let i = 0; i < rowCount; ++i) {
        ids.push(texts.getItem(i) as string);
        low.push(words[2 * i]!);
        high.push(words[2 * i + 1]!);
      }
    },
  );
  if (ids.length !== grouped.offsets.length - 1) return undefined;
  const byKey = await groupByKey({ low: Uint32Array.from(low), high: Uint32Array.from(high) }, signal);
  const groupOf = new Int32Array(ids.length);
  byKey.rows.forEach((place, group) => (groupOf[place] = group));
  return { grouped: permuteGroups(grouped, groupOf), ids: idSequence(ids, "string") };
}

/** The ids, which are integers, that keys stand for. */
function idsOfKeys({ low, high }: Keys, kind: IdKind): IdSequence {
  const highOf = (i: number) => (high === undefined ? 0 : (high[i]! ^ SIGN) | 0);
  if (kind === "number") return Float64Array.from(low, (word, i) => highOf(i) * 2 ** 32 + word);
  const ids = new BigInt64Array(low.length);
  low.forEach((word, i) => (ids[i] = (BigInt(highOf(i)) << 32n) | BigInt(word)));
  return ids;
}
