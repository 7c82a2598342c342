import { giveTurn } from "../turns";
import { dealEvents } from "./deal-events";
import { eventsBetween, type EventColumns } from "./event-columns";
import { PartSorter, type Groups } from "./part-sorter";

/** Events session by session, in ascending order of the sessions' keys. */
export interface GroupedEvents extends Groups, Pick<EventColumns, "items" | "times"> {}

/** Events of a part that is dealt again. */
const LARGE_PART = 1 << 19;

/**
 * Groups events by session, those of a session by time, then in the order of the input. They are dealt into parts by their
 * keys first, and each part is then sorted in a processor's cache.
 * @param blocks - Of the input, in its order.
 * @throws {@link Gru4RecError} `ERR_ABORTED`
 */
export async function groupEvents(
  blocks: readonly EventColumns[],
  signal: AbortSignal | undefined,
): Promise<GroupedEvents> {
  const { columns, starts } = await dealEvents(blocks, signal);
  const sorter = new PartSorter(signal);
  const parts: Groups[] = [];
  for (let part = 0; part + 1 < starts.length; ++part) {
    const own = eventsBetween(columns, starts[part]!, starts[part + 1]!);
    await giveTurn(signal);
    // A few keys far from all others put most events into one part.
    const isLarge = own.items.length > LARGE_PART && starts.length > 2;
    parts.push(isLarge ? await regroup(own, signal) : await sorter.sort(own));
  }
  return { ...joinGroups(parts, starts), items: columns.items, times: columns.times };
}

/** Groups events in their own memory. */
async function regroup(events: EventColumns, signal: AbortSignal | undefined): Promise<Groups> {
  const { items, times, ...groups } = await groupEvents([events], signal);
  events.items.set(items);
  events.times.set(times);
  return groups;
}

/** @param starts - [parts + 1] where the events of each part begin, and the end. */
function joinGroups(parts: readonly Groups[], starts: Int32Array): Groups {
  const count = parts.reduce((sum, { keys }) => sum + keys.low.length, 0);
  const [low, high] = [new Uint32Array(count), new Uint32Array(count)];
  const offsets = new Int32Array(count + 1);
  let first = 0;
  parts.forEach(({ keys, offsets: own }, part) => {
    low.set(keys.low, first);
    if (typeof keys.high === "number") high.fill(keys.high, first, first + keys.low.length);
    else high.set(keys.high, first);
    for (let group = 0; group < own.length; ++group) offsets[first + group] = starts[part]! + own[group]!;
    first += keys.low.length;
  });
  return { keys: { low, high }, offsets };
}
