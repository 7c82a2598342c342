import { Gru4RecError } from "../errors";
import type { EventLog } from "./event-log";
import type { ItemId } from "./ids";
import { countUp } from "./rows/count-up";
import { selectSessions } from "./select-sessions";

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
export function splitSessions<Id extends ItemId>(log: EventLog<Id>, inTest: Uint8Array, refusal: string): Split<Id> {
  if (!inTest.includes(0)) throw new Gru4RecError("ERR_DATA", refusal);
  const sessions = countUp(inTest.length);
  return {
    train: selectSessions(log, sessions.filter((session) => inTest[session] === 0)), // prettier-ignore
    test: selectSessions(log, sessions.filter((session) => inTest[session] !== 0)), // prettier-ignore
  };
}
