import { expected, Gru4RecError } from "../errors";
import type { ItemId, Widened } from "./ids";
import { readEvents, type DataInput, type ReadOptions } from "./read-events";
import { splitSessions, type Split } from "./split-sessions";
import { inTurns } from "./turns";

/**
 * Splits a log by time: the test part is the sessions whose last event is later than the log's last event less
 * `seconds`, the training part all others.
 * @param seconds - Length of the test part. Above 0.
 * @throws {@link Gru4RecError} `ERR_DATA` when nothing is left to train on; as {@link readEvents} does.
 */
export async function splitByTime<Id extends ItemId = ItemId>(
  data: DataInput<Id>,
  seconds: number,
  options: ReadOptions = {},
): Promise<Split<Widened<Id>>> {
  if (typeof seconds !== "number" || !(seconds > 0))
    throw new Gru4RecError("ERR_ARGUMENT", expected("seconds", "a number above 0", seconds));
  const log = await readEvents(data, options);
  const { endTimes } = log;
  let latest = 0;
  await inTurns(endTimes.length, options.signal, (from, to) => {
    for (let s = from; s < to; ++s) latest = Math.max(latest, endTimes[s]!);
  });
  const inTest = new Uint8Array(endTimes.length);
  await inTurns(endTimes.length, options.signal, (from, to) => {
    for (let s = from; s < to; ++s) inTest[s] = Number(endTimes[s]! > latest - seconds);
  });
  const what = `sessions that end before the last ${seconds} seconds of the log, to train on,`;
  return splitSessions(log, inTest, `Expected ${what} but received none`, options.signal);
}
