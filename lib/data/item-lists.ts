import { describeValue, expected, Gru4RecError } from "../errors";
import { checkId, type IdColumn, type ItemId } from "./ids";
import type { Sessions } from "./sessions";
import type { Vocabulary } from "./vocabulary";

/** The item ids of one session, oldest first: a plain or typed array. */
export type SessionItems<Id extends ItemId = ItemId> = IdColumn<Id>;

/** Sessions ready for the engine. */
export interface PackedSessions {
  readonly sessions: Sessions;
  /** [sessions] events left out, as the model does not know their items. */
  readonly skipped: Int32Array;
}

export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);
}

function checkList(name: string, value: unknown): void {
  if (!isList(value)) throw new Gru4RecError("ERR_ARGUMENT", expected(name, "an array of item ids", value));
}

/**
 * Sessions as item indices; events of unknown items are left out and counted.
 * @param nameOf - What error messages call a session.
 */
export function packSessions(
  vocabulary: Vocabulary,
  sessions: readonly SessionItems[],
  nameOf = (session: number) => `sessions[${session}]`,
): PackedSessions {
  let events = 0;
  for (let s = 0; s < sessions.length; ++s) {
    checkList(nameOf(s), sessions[s]);
    events += sessions[s]!.length;
  }
  const items = new Int32Array(events);
  const offsets = new Int32Array(sessions.length + 1);
  const skipped = new Int32Array(sessions.length);
  let end = 0;
  for (let s = 0; s < sessions.length; ++s) {
    const session = sessions[s]!;
    for (let e = 0; e < session.length; ++e) {
      const id: unknown = session[e];
      checkId(id, `${nameOf(s)}[${e}]`, "ERR_ARGUMENT");
      const index = vocabulary.indexOf(id);
      if (index === undefined) ++skipped[s]!;
      else items[end++] = index;
    }
    offsets[s + 1] = end;
  }
  return { sessions: { items: items.slice(0, end), offsets }, skipped };
}

/**
 * Item indices of ids, in their order.
 * @throws {@link Gru4RecError} `ERR_ARGUMENT` for an id that the model does not know.
 */
export function indicesOf(vocabulary: Vocabulary, ids: IdColumn, name: string): Int32Array {
  checkList(name, ids);
  const indices = new Int32Array(ids.length);
  for (let i = 0; i < ids.length; ++i) {
    const id: unknown = ids[i];
    checkId(id, `${name}[${i}]`, "ERR_ARGUMENT");
    const index = vocabulary.indexOf(id);
    if (index === undefined) {
      const message = `Expected ${name}[${i}] to be an item of the model but received ${describeValue(id)}`;
      throw new Gru4RecError("ERR_ARGUMENT", message);
    }
    indices[i] = index;
  }
  return indices;
}

/** Like {@link indicesOf}, ascending and without repeats. */
export function indexSetOf(vocabulary: Vocabulary, ids: IdColumn, name: string): Int32Array {
  return distinct(indicesOf(vocabulary, ids, name));
}

/** Indices of those ids that the model knows, ascending and without repeats. */
export function knownIndexSetOf(vocabulary: Vocabulary, ids: IdColumn, name: string): Int32Array {
  checkList(name, ids);
  const known: ItemId[] = [];
  for (let i = 0; i < ids.length; ++i) {
    const id: unknown = ids[i];
    checkId(id, `${name}[${i}]`, "ERR_ARGUMENT");
    if (vocabulary.indexOf(id) !== undefined) known.push(id);
  }
  return indexSetOf(vocabulary, known, name);
}

function distinct(indices: Int32Array): Int32Array {
  return indices.sort().filter((index, i, sorted) => i === 0 || index !== sorted[i - 1]);
}
