import { Gru4RecError } from "../errors";
import type { EventLog } from "./event-log";
import type { ItemId } from "./ids";
import { selectSessions } from "./select-sessions";
import { inTurns } from "./turns";

/** A log in two parts that share no session. */
export interface Split<Id extends ItemId = ItemId> {
  /** The sessions to train on. */
  readonly train: EventLog<Id>;
  /** The sessions to measure on. */
  readonly test: EventLog<Id>;
}

/**
 * Splits a log into the sessions that `inTest` names and all others.
 * @param inTest - [sessions] not 0: for the test part
 * @param refusal - Says what is wrong when nothing is left to train on.
 * @throws {@link Gru4RecError} `ERR_DATA` when nothing is left to train on.
 */
export async function splitSessions<Id extends ItemId>(
  log: EventLog<Id>,
  inTest: Uint8Array,
  refusal: string,
  signal: AbortSignal | undefined,
): Promise<Split<Id>> {
  if (!inTest.includes(0)) throw new Gru4RecError("ERR_DATA", refusal);
  const sessions = { train: new Int32Array(inTest.length), test: new Int32Array(inTest.length) };
  const counts = { train: 0, test: 0 };
  await inTurns(inTest.length, signal, (from, to) => {
    for (let session = from; session < to; ++session) {
      const part = inTest[session] === 0 ? "train" : "test";
      sessions[part][counts[part]++] = session;
    }
  });
  return {
    train: await selectSessions(log, sessions.train.subarray(0, counts.train), signal),
    test: await selectSessions(log, sessions.test.subarray(0, counts.test), signal),
  };
}
