import { describeValue, Gru4RecError } from "../errors";
import { PackedText } from "./packed-text";
import { inTurns } from "./turns";

/** Identifies an item. A model stores one kind and gives it back as it came in. */
export type ItemId = string | number | bigint;
/** Identifies a session. */
export type SessionId = string | number | bigint;

/** What ids are: safe integers, 64-bit integers or text. */
export type IdKind = "number" | "bigint" | "string";

/** The kind that an id belongs to, as a type: `string` for `"a"`. */
export type Widened<Id extends ItemId> = Id extends string ? string : Id extends number ? number : bigint;

/** Ids of one kind. */
export type IdList<Id extends ItemId = ItemId> = Readonly<ArrayLike<Id>> &
  (Float64Array | BigInt64Array | readonly string[]);

/** Many ids of one kind: a typed array, or text in one piece of memory. */
export interface IdSequence {
  /** How many there are. */
  readonly length: number;
  /** The id of a number from 0 on. */
  at(index: number): ItemId | undefined;
}

/** Ids by their number, as a caller may give them: plain or typed arrays. A text, an array of characters, is none. */
export type IdColumn<Id extends ItemId = ItemId> = ArrayLike<Id> & object;

const SMALLEST_INT64 = -(2n ** 63n);
const LARGEST_INT64 = 2n ** 63n - 1n;
const CANONICAL_INTEGER = /^(?:0|-?[1-9]\d*)$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether `id` can be an id of some kind: a safe integer, an int64 or well-formed text that is not empty. */
export function isId(id: unknown): id is ItemId {
  if (typeof id === "number") return Number.isSafeInteger(id);
  if (typeof id === "bigint") return id >= SMALLEST_INT64 && id <= LARGEST_INT64;
  return typeof id === "string" && id !== "" && !LONE_SURROGATE.test(id);
}

/** Refuses what {@link isId} does. */
export function checkId(id: unknown, name: string, code: "ERR_ARGUMENT" | "ERR_DATA"): asserts id is ItemId {
  if (isId(id)) return;
  const what = "a safe integer, a 64-bit bigint or non-empty text";
  throw new Gru4RecError(code, `Expected ${name} to be ${what} but received ${describeValue(id)}`);
}

/** `id` as an id of `kind`, or undefined where that kind cannot hold it. Ids are the same when their texts are. */
export function convertId(id: ItemId, kind: IdKind): ItemId | undefined {
  if (typeof id === kind) return id === 0 ? 0 : id;
  const text = String(id);
  if (kind === "string") return text;
  if (!CANONICAL_INTEGER.test(text)) return undefined;
  const value = kind === "number" ? Number(text) : BigInt(text);
  return isId(value) ? value : undefined;
}

/** Makes a list of ids of one kind. */
export function makeIdList(ids: readonly ItemId[], kind: IdKind): IdList {
  if (kind === "number") return Float64Array.from(ids as number[]);
  return kind === "bigint" ? BigInt64Array.from(ids as bigint[]) : (ids as string[]);
}

/** Some of the ids of a sequence, or of a list in which they are numbered, in the order of their places. */
export async function pickIds(
  ids: IdSequence | readonly ItemId[],
  places: Int32Array,
  kind: IdKind,
  signal: AbortSignal | undefined,
): Promise<IdSequence> {
  if (kind === "string") return PackedText.pick(ids as { at(index: number): string | undefined }, places, signal);
  const picked = kind === "number" ? new Float64Array(places.length) : new BigInt64Array(places.length);
  await inTurns(places.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) picked[i] = ids.at(places[i]!) as number & bigint;
  });
  return picked;
}

/** Negative, zero or positive as `a` comes before `b` by their UTF-8 bytes, which is the order of their code points. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; ++i) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // UTF-16 puts surrogates, which stand for the highest code points, below U+E000 … U+FFFF.
    if (x !== y) return (x >= 0xd800 && x < 0xe000 ? x + 0x10000 : x) - (y >= 0xd800 && y < 0xe000 ? y + 0x10000 : y);
  }
  return a.length - b.length;
}

/** Ascending order of the ids of one kind: numbers by value, text by its UTF-8 bytes. */
export function compareIds(a: ItemId, b: ItemId): number {
  if (typeof a === "string" || typeof b === "string") return compareText(String(a), String(b));
  return a < b ? -1 : a > b ? 1 : 0;
}
