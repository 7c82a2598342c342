import type { EventLog } from "./event-log";
import type { IdKind, IdSequence, ItemId } from "./ids";

/** A log with bigints turned into numbers where all of a column are safe integers, as ids of files are. */
export function withSmallestKinds(log: EventLog): EventLog {
  const item = narrow(log.itemKind, log.itemIds);
  const session = narrow(log.sessionKind, log.sessionIds);
  return { ...log, itemKind: item.kind, itemIds: item.ids, sessionKind: session.kind, sessionIds: session.ids };
}

function narrow<Ids extends ArrayLike<ItemId> | IdSequence>(
  kind: IdKind,
  ids: Ids,
): { kind: IdKind; ids: Ids | Float64Array } {
  if (!(ids instanceof BigInt64Array)) return { kind, ids };
  const areSafe = ids.every((id) => Number.isSafeInteger(Number(id)));
  return areSafe ? { kind: "number", ids: Float64Array.from(ids, Number) } : { kind, ids };
}
