import type { PackedSessions, Sessions, Vocabulary } from "../data";
import { runNative, type NativeModel } from "../native";
import { setOf, union, type Choice } from "./item-choice";
import { SupportRanking } from "./rank-by-support";
import type { RankedItems, Recommendations } from "./recommendations";

/** What ranking needs of a trained model. */
export interface RankingModel {
  readonly native: NativeModel;
  readonly vocabulary: Vocabulary;
  /** [items] events of each item in training */
  readonly support: Uint32Array;
}

/** What the lists of one native call may hold together, so that its memory is bounded: 16 MB. */
const NUMBERS_AT_ONCE = 1 << 22;

/** Ranks items as the next event of each session. Equal scores keep the order of the item index. */
export async function rankSessions(
  model: RankingModel,
  { sessions: { items, offsets }, skipped }: PackedSessions,
  choice: Choice,
  signal: AbortSignal | undefined,
): Promise<Recommendations[]> {
  const sessions = Array.from(skipped, (_, s) => items.subarray(offsets[s], offsets[s + 1]));
  const scored = [...sessions.keys()].filter((s) => sessions[s]!.length > 0);
  const lists: RankedItems[] = [];
  let next = 0;
  do {
    const rows: Row[] = [];
    for (let numbers = 0; next < scored.length && numbers < NUMBERS_AT_ONCE; ++next) {
      const s = scored[next]!;
      const row = {
        session: sessions[s]!,
        excluded: excludedFrom(choice, s, sessions[s]!),
        candidates: own(choice, s),
      };
      rows.push(row);
      numbers += choice.k + row.session.length + row.excluded.length + row.candidates.length;
    }
    for (const list of await rankRows(model, rows, choice, signal)) lists.push(list);
  } while (next < scored.length);

  const bySupport = new SupportRanking(model.vocabulary, model.support, choice);
  let row = 0;
  return sessions.map((session, s) => {
    const fallback = session.length === 0;
    const list = fallback ? bySupport.list(s, excludedFrom(choice, s, session)) : lists[row++]!;
    return { ...list, skipped: skipped[s]!, fallback };
  });
}

/** A session as a native call sees it: item indices. */
interface Row {
  readonly session: Int32Array;
  /** Ascending. */
  readonly excluded: Int32Array;
  /** Ascending; empty where all sessions have the same candidates. */
  readonly candidates: Int32Array;
}

const NONE = new Int32Array();

function own({ candidates }: Choice, s: number): Int32Array {
  return candidates === undefined || candidates instanceof Int32Array ? NONE : setOf(candidates, s);
}

/** All items that session `s` is not to get, ascending. */
function excludedFrom({ excluded, excludeSeen }: Choice, s: number, session: Int32Array): Int32Array {
  const given = excluded.reduce<Int32Array>((all, sets) => union(all, setOf(sets, s)), NONE);
  return excludeSeen ? union(given, new Int32Array(new Set(session)).sort()) : given;
}

async function rankRows(
  { native, vocabulary }: RankingModel,
  rows: readonly Row[],
  { k, candidates }: Choice,
  signal: AbortSignal | undefined,
): Promise<RankedItems[]> {
  const ownCandidates = join(rows.map((row) => row.candidates));
  const exclusions = join(rows.map((row) => row.excluded));
  const request = {
    sessions: join(rows.map((row) => row.session)),
    k,
    ...(candidates instanceof Int32Array && { candidates }),
    ...(Array.isArray(candidates) && { candidates: ownCandidates.items, candidateStarts: ownCandidates.offsets }),
    ...(exclusions.items.length > 0 && { exclusions: { starts: exclusions.offsets, items: exclusions.items } }),
  };
  const { items, scores } = await runNative(signal, (cancellation) => native.recommend(request, cancellation));
  return rows.map((_, row) => {
    const indices = items.subarray(row * k, (row + 1) * k);
    const end = indices.indexOf(-1);
    const length = end < 0 ? k : end;
    return {
      items: Array.from(indices.subarray(0, length), (index) => vocabulary.idAt(index)),
      scores: [...scores.subarray(row * k, row * k + length)],
    };
  });
}

/** Lists one behind the other: list i is items[offsets[i] … offsets[i + 1]). */
function join(lists: readonly Int32Array[]): Sessions {
  const offsets = new Int32Array(lists.length + 1);
  lists.forEach((list, i) => (offsets[i + 1] = offsets[i]! + list.length));
  const items = new Int32Array(offsets[lists.length]!);
  lists.forEach((list, i) => items.set(list, offsets[i]));
  return { items, offsets };
}
