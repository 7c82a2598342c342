import { checkInteger } from "../errors";
import type { ItemId, Widened } from "./ids";
import { readEvents, type DataInput, type ReadOptions } from "./read-events";
import { orderOfTimes } from "./rows/sort-times";
import { splitSessions, type Split } from "./split-sessions";

/**
 * Splits a log by sessions: the test part is the `count` sessions whose last event is latest, the training part all
 * others. Of sessions that end at the same time, the one with the higher id is later.
 * @param count - Number of test sessions. 1 or more.
 * @throws {@link Gru4RecError} `ERR_DATA` when nothing is left to train on; as {@link readEvents} does.
 */
export async function splitLastSessions<Id extends ItemId = ItemId>(
  data: DataInput<Id>,
  count: number,
  options: ReadOptions = {},
): Promise<Split<Widened<Id>>> {
  checkInteger("count", count, 1, Number.MAX_SAFE_INTEGER);
  const log = await readEvents(data, options);
  const order = await orderOfTimes(log.endTimes, options.signal);
  const inTest = new Uint8Array(order.length);
  for (const session of order.subarray(-count)) inTest[session] = 1;
  return splitSessions(
    log,
    inTest,
    `Expected more than ${count} sessions but received ${order.length}: none to train on`,
    options.signal,
  );
}
