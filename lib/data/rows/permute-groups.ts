import type { GroupedEvents } from "./group-events";
import { inTurns } from "../turns";

/**
 * The sessions of events in another order.
 * @param order - [sessions] session s of the result is session `order[s]`.
 * @throws {@link Gru4RecError} `ERR_ABORTED`
 */
export async function permuteGroups(
  { offsets, items, times }: Omit<GroupedEvents, "keys">,
  order: Int32Array,
  signal: AbortSignal | undefined,
): Promise<Omit<GroupedEvents, "keys">> {
  const permuted = {
    offsets: new Int32Array(offsets.length),
    items: new Int32Array(items.length),
    times: new Float64Array(times.length),
  };
  let end = 0;
  await inTurns(order.length, signal, (first, last) => {
    for (let s = first; s < last; ++s) {
      for (let event = offsets[order[s]!]!; event < offsets[order[s]! + 1]!; ++event, ++end) {
        permuted.items[end] = items[event]!;
        permuted.times[end] = times[event]!;
      }
      permuted.offsets[s + 1] = end;
    }
  });
  return permuted;
}
