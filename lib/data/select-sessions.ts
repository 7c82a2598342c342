import type { EventLog } from "./event-log";
import { makeIdList, pickIds, type IdList, type ItemId } from "./ids";
import { inTurns, inTurnsOfSessions } from "./turns";

/**
 * Sessions of a log as a log of its own. Its items are those that occur in them, in the order that they have in the
 * whole log.
 * @param chosen - Session numbers, ascending.
 */
export async function selectSessions<Id extends ItemId>(
  log: EventLog<Id>,
  chosen: Int32Array,
  signal: AbortSignal | undefined,
): Promise<EventLog<Id>> {
  const offsets = new Int32Array(chosen.length + 1);
  const [startTimes, endTimes] = [new Float64Array(chosen.length), new Float64Array(chosen.length)];
  await inTurns(chosen.length, signal, (from, to) => {
    for (let i = from; i < to; ++i) {
      const s = chosen[i]!;
      offsets[i + 1] = offsets[i]! + log.offsets[s + 1]! - log.offsets[s]!;
      startTimes[i] = log.startTimes[s]!;
      endTimes[i] = log.endTimes[s]!;
    }
  });
  const items = new Int32Array(offsets[chosen.length]!);
  const times = new Float64Array(items.length);
  await inTurnsOfSessions(offsets, signal, (from, to) => {
    for (let i = from; i < to; ++i) {
      const shift = log.offsets[chosen[i]!]! - offsets[i]!;
      for (let event = offsets[i]!; event < offsets[i + 1]!; ++event) {
        items[event] = log.items[event + shift]!;
        times[event] = log.times[event + shift]!;
      }
    }
  });
  const { itemKind, sessionKind } = log;
  const itemIds = await dropUnusedItems(items, log, signal);
  const sessionIds = await pickIds(log.sessionIds, chosen, sessionKind, signal);
  return { itemKind, itemIds, sessionKind, sessionIds, offsets, items, times, startTimes, endTimes };
}

/** Renumbers `items` (in place), which have ids in `log`, without those that do not occur. @returns the ids of the others */
async function dropUnusedItems<Id extends ItemId>(
  items: Int32Array,
  { itemIds, itemKind }: EventLog<Id>,
  signal: AbortSignal | undefined,
): Promise<IdList<Id>> {
  const used = new Uint8Array(itemIds.length);
  await inTurns(items.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) used[items[event]!] = 1;
  });
  const ids: Id[] = [];
  const indexOf = new Int32Array(itemIds.length);
  await inTurns(itemIds.length, signal, (from, to) => {
    for (let item = from; item < to; ++item) if (used[item] === 1) indexOf[item] = ids.push(itemIds[item]!) - 1;
  });
  await inTurns(items.length, signal, (from, to) => {
    for (let event = from; event < to; ++event) items[event] = indexOf[items[event]!]!;
  });
  return makeIdList(ids, itemKind) as IdList<Id>;
}
