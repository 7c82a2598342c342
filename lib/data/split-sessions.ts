import { Gru4RecError } from "../errors";
import { selectEvents, type EventLog } from "./event-log";
import type { ItemId } from "./ids";

/** A log in two parts that share no session. */
export interface Split<Id extends ItemId = ItemId> {
  readonly train: EventLog<Id>;
  readonly test: EventLog<Id>;
}

/** [sessions] time of the last event of each session */
export function lastTimes(log: EventLog): Float64Array {
  const times = new Float64Array(log.sessionIds.length);
  log.sessions.forEach((session, event) => (times[session] = Math.max(times[session]!, log.times[event]!)));
  return times;
}

/**
 * Splits a log into the sessions that `inTest` names and all others.
 * @param inTest - [sessions] not 0: for the test part
 * @param refusal - Says what is wrong when nothing is left to train on.
 * @throws {@link Gru4RecError} `ERR_DATA` when nothing is left to train on.
 */
export function splitSessions<Id extends ItemId>(log: EventLog<Id>, inTest: Uint8Array, refusal: string): Split<Id> {
  if (!inTest.includes(0)) throw new Gru4RecError("ERR_DATA", refusal);
  const events = log.sessions.map((_, event) => event);
  const isTest = (event: number) => inTest[log.sessions[event]!]! !== 0;
  return {
    train: selectEvents(log, events.filter((event) => !isTest(event))), // prettier-ignore
    test: selectEvents(log, events.filter(isTest)),
  };
}
