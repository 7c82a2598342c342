import {
  indexSetOf,
  knownIndexSetOf,
  packSessions,
  type ItemId,
  type SessionItems,
  type Sessions,
  type Vocabulary,
} from "../data";
import { checkInteger } from "../errors";
import { runNative, type NativeModel } from "../native";

export interface RecommendOptions {
  /** List length, from 1 to the number of items. Default 20, or all items where there are fewer. */
  readonly k?: number | undefined;
  /** Items to choose from. Default all. */
  readonly items?: ArrayLike<ItemId> | undefined;
  /** Items never to recommend; those that the model does not know change nothing. Default none. */
  readonly exclude?: ArrayLike<ItemId> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The items that most likely come next, best first. */
export interface Recommendations {
  /** At most k; fewer where there are not as many to choose from. */
  readonly items: ItemId[];
  /** Of each item: its score, or with `fallback` its support. */
  readonly scores: number[];
  /** Events of the session left out, as the model does not know their items. */
  readonly skipped: number;
  /** Whether no known item was left in the session, so that the items rank by their support in training. */
  readonly fallback: boolean;
}

const DEFAULT_K = 20;

/** What all lists of one call have in common: item indices, ascending. */
interface Choice {
  readonly k: number;
  readonly candidates: Int32Array | undefined;
  readonly excluded: Int32Array;
}

/** Ranks items as the next event of each session. Equal scores keep the order of the item index. */
export async function recommendItems(
  model: NativeModel,
  vocabulary: Vocabulary,
  support: Uint32Array,
  sessions: readonly SessionItems[],
  options: RecommendOptions,
): Promise<Recommendations[]> {
  const k = options.k ?? Math.min(DEFAULT_K, vocabulary.size);
  checkInteger("k", k, 1, vocabulary.size);
  const choice: Choice = {
    k,
    candidates: options.items && indexSetOf(vocabulary, options.items, "items"),
    excluded: knownIndexSetOf(vocabulary, options.exclude ?? [], "exclude"),
  };
  const packed = packSessions(vocabulary, sessions);
  const scored = withEvents(packed.sessions);
  const lists = await rankByModel(model, vocabulary, scored, choice, options.signal);
  const fallback = scored.offsets.length - 1 < sessions.length ? rankBySupport(vocabulary, support, choice) : undefined;

  let row = 0;
  return sessions.map((_, s) => {
    const skipped = packed.skipped[s]!;
    const known = packed.sessions.offsets[s + 1]! > packed.sessions.offsets[s]!;
    const { items, scores } = known ? lists[row++]! : fallback!;
    return { items: [...items], scores: [...scores], skipped, fallback: !known };
  });
}

/** The sessions that have an event. */
function withEvents({ items, offsets }: Sessions): Sessions {
  return { items, offsets: offsets.filter((offset, s) => s === 0 || offset > offsets[s - 1]!) };
}

type List = Pick<Recommendations, "items" | "scores">;

async function rankByModel(
  model: NativeModel,
  vocabulary: Vocabulary,
  sessions: Sessions,
  { k, candidates, excluded }: Choice,
  signal: AbortSignal | undefined,
): Promise<List[]> {
  const rows = sessions.offsets.length - 1;
  const request = {
    sessions,
    k,
    ...(candidates && { candidates }),
    ...(excluded.length > 0 && { exclusions: repeatForRows(excluded, rows) }),
  };
  const { items, scores } = await runNative(signal, (cancellation) => model.recommend(request, cancellation));
  return Array.from({ length: rows }, (_, row) => {
    const indices = items.subarray(row * k, (row + 1) * k);
    const end = indices.indexOf(-1);
    const length = end < 0 ? k : end;
    return {
      items: Array.from(indices.subarray(0, length), (index) => vocabulary.idAt(index)),
      scores: [...scores.subarray(row * k, row * k + length)],
    };
  });
}

function repeatForRows(excluded: Int32Array, rows: number): { starts: Int32Array; items: Int32Array } {
  const items = new Int32Array(excluded.length * rows);
  const starts = new Int32Array(rows + 1);
  for (let row = 0; row < rows; ++row) {
    items.set(excluded, row * excluded.length);
    starts[row + 1] = (row + 1) * excluded.length;
  }
  return { starts, items };
}

function rankBySupport(vocabulary: Vocabulary, support: Uint32Array, { k, candidates, excluded }: Choice): List {
  const left = new Set(excluded);
  const choice = (candidates ?? new Int32Array(vocabulary.size).map((_, item) => item))
    .filter((item) => !left.has(item))
    .sort((a, b) => support[b]! - support[a]! || a - b)
    .subarray(0, k);
  return {
    items: Array.from(choice, (item) => vocabulary.idAt(item)),
    scores: Array.from(choice, (item) => support[item]!),
  };
}
