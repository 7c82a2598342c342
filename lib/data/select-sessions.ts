import type { EventLog } from "./event-log";
import { idSequence, makeIdList, type IdList, type ItemId } from "./ids";

/**
 * Sessions of a log as a log of its own. Its items are those that occur in them, in the order that they have in the
 * whole log.
 * @param chosen - Session numbers, ascending.
 */
export function selectSessions<Id extends ItemId>(log: EventLog<Id>, chosen: Int32Array): EventLog<Id> {
  const offsets = new Int32Array(chosen.length + 1);
  chosen.forEach((s, i) => (offsets[i + 1] = offsets[i]! + log.offsets[s + 1]! - log.offsets[s]!));
  const items = new Int32Array(offsets[chosen.length]!);
  const times = new Float64Array(items.length);
  chosen.forEach((s, i) => {
    items.set(log.items.subarray(log.offsets[s], log.offsets[s + 1]), offsets[i]);
    times.set(log.times.subarray(log.offsets[s], log.offsets[s + 1]), offsets[i]);
  });
  const { itemKind, sessionKind } = log;
  return {
    itemKind,
    itemIds: dropUnusedItems(items, log),
    sessionKind,
    sessionIds: idSequence(
      Array.from(chosen, (s) => log.sessionIds.at(s)!),
      sessionKind,
    ),
    offsets,
    items,
    times,
    startTimes: Float64Array.from(chosen, (s) => log.startTimes[s]!),
    endTimes: Float64Array.from(chosen, (s) => log.endTimes[s]!),
  };
}

/** Renumbers `items` (in place), which have ids in `log`, without those that do not occur. @returns the ids of the others */
function dropUnusedItems<Id extends ItemId>(items: Int32Array, { itemIds, itemKind }: EventLog<Id>): IdList<Id> {
  const used = new Uint8Array(itemIds.length);
  for (const item of items) used[item] = 1;
  const ids: Id[] = [];
  const indexOf = new Int32Array(itemIds.length).map((_, item) => (used[item] ? ids.push(itemIds[item]!) - 1 : -1));
  items.forEach((item, event) => (items[event] = indexOf[item]!));
  return makeIdList(ids, itemKind) as IdList<Id>;
}
