import { indexSetOf, isList, knownIndexSetOf, type ItemId, type Vocabulary } from "../data";
import { checkInteger, expected, Gru4RecError, namesOf } from "../errors";

/** Item ids: one list for all sessions, or an array with a list for each. */
export type ItemLists<Id extends ItemId = ItemId> = ArrayLike<Id> | readonly ArrayLike<Id>[];

/** What sessions may be recommended; each condition holds besides the others. */
export interface ChoiceOptions<Id extends ItemId = ItemId> {
  /** List length, from 1 to the number of items. Default 20, or all items where there are fewer. */
  readonly k?: number | undefined;
  /** Items to choose from; all must be items of the model. Default all. */
  readonly items?: ItemLists<Id> | undefined;
  /** Items never to recommend; those that the model does not know change nothing. Default none. */
  readonly exclude?: ItemLists<Id> | undefined;
  /** Never to recommend an item of the session itself. Default false. */
  readonly excludeSeen?: boolean | undefined;
}

export const CHOICE_OPTIONS = namesOf<ChoiceOptions>({ k: true, items: true, exclude: true, excludeSeen: true });

/** Ascending, distinct item indices: one list for all sessions, or one for each. */
export type IndexSets = Int32Array | readonly Int32Array[];

/** Options as the engine's item indices. */
export interface Choice {
  readonly k: number;
  /** Absent = all items. */
  readonly candidates: IndexSets | undefined;
  /** All of them are left out. */
  readonly excluded: readonly IndexSets[];
  readonly excludeSeen: boolean;
}

const DEFAULT_K = 20;

/** @param sessions - How many there are. @throws {@link Gru4RecError} `ERR_ARGUMENT` */
export function readChoice(vocabulary: Vocabulary, options: ChoiceOptions, sessions: number): Choice {
  const { k = Math.min(DEFAULT_K, vocabulary.size), items, exclude, excludeSeen = false } = options;
  checkInteger("k", k, 1, vocabulary.size);
  const given: unknown = excludeSeen;
  if (typeof given !== "boolean")
    throw new Gru4RecError("ERR_ARGUMENT", expected("excludeSeen", "true or false", given));
  const read = (name: string, lists: ItemLists, indices: typeof indexSetOf): IndexSets => {
    if (!isListOfLists(lists)) return indices(vocabulary, lists, name);
    if (lists.length !== sessions) throw wrongCount(name, lists.length, sessions);
    return Array.from(lists, (list, s) => indices(vocabulary, list, `${name}[${s}]`));
  };
  return {
    k,
    candidates: items === undefined ? undefined : read("items", items, indexSetOf),
    excluded: exclude === undefined ? [] : [read("exclude", exclude, knownIndexSetOf)],
    excludeSeen,
  };
}

/** The list of one session. */
export function setOf(sets: IndexSets, session: number): Int32Array {
  return sets instanceof Int32Array ? sets : sets[session]!;
}

/** What is in one of two ascending lists of distinct numbers, or in both. */
export function union(a: Int32Array, b: Int32Array): Int32Array {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const both = new Int32Array(a.length + b.length);
  let end = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const [x = Infinity, y = Infinity] = [a[i], b[j]];
    both[end++] = Math.min(x, y);
    if (x <= y) ++i;
    if (y <= x) ++j;
  }
  return both.subarray(0, end);
}

/** Whether the first element tells that there is a list for each session. */
function isListOfLists(lists: ItemLists): lists is readonly ArrayLike<ItemId>[] {
  return Array.isArray(lists) && isList(lists[0]);
}

function wrongCount(name: string, lists: number, sessions: number): Gru4RecError {
  const what = `a list of item ids or an array with a list for each session (${sessions} in all)`;
  return new Gru4RecError("ERR_ARGUMENT", `Expected ${name} to be ${what} but received an array of ${lists}`);
}
