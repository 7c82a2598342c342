import type { Gru4Rec, ItemId, Recommendations, RecommendOptions } from "../../lib";

const isNested = (lists: unknown): lists is ArrayLike<ItemId>[] =>
  Array.isArray(lists) && typeof lists[0] === "object" && lists[0] !== null;

/** Ids of one session's list; `undefined` for none. */
function listFor(lists: RecommendOptions["items"], session: number): ItemId[] | undefined {
  if (lists === undefined) return undefined;
  return Array.from(isNested(lists) ? lists[session]! : (lists as ArrayLike<ItemId>));
}

/** Training support of every item by index, which the list of a session without events tells. */
async function supportOf(model: Gru4Rec): Promise<Map<ItemId, number>> {
  const { items, scores } = await model.recommend([], { k: model.itemCount });
  return new Map(items.map((item, i) => [item, scores[i]!]));
}

/** What recommend promises, from the scores of predict: filter, sort (lower index on ties), cut. */
export async function bruteForce(
  model: Gru4Rec,
  sessions: readonly ItemId[][],
  { k = 20, items, exclude, excludeSeen = false }: RecommendOptions,
): Promise<Recommendations[]> {
  const ids = model.itemIds();
  const scores = await model.predict(sessions);
  const support = await supportOf(model);
  return sessions.map((session, s) => {
    const known = session.filter((id) => ids.includes(id));
    const fallback = known.length === 0;
    const allowed = listFor(items, s) ?? ids;
    const banned = [...(listFor(exclude, s) ?? []), ...(excludeSeen ? session : [])];
    const scoreOf = (index: number) => (fallback ? support.get(ids[index]!)! : scores[s * ids.length + index]!);
    const list = [...ids.keys()]
      .filter((index) => allowed.includes(ids[index]!) && !banned.includes(ids[index]!))
      .sort((a, b) => scoreOf(b) - scoreOf(a) || a - b)
      .slice(0, k);
    return {
      items: list.map((index) => ids[index]!),
      scores: list.map(scoreOf),
      skipped: session.length - known.length,
      fallback,
    };
  });
}
