import { expected, Gru4RecError } from "../errors";
import { selectEvents, type EventLog } from "./event-log";
import { readEvents, type DataInput } from "./read-events";

/** A log in two parts that share no session. */
export interface Split {
  readonly train: EventLog;
  readonly test: EventLog;
}

/**
 * Splits a log by time: the test part is the sessions whose last event is later than the log's last event less
 * `seconds`, the training part all others.
 * @param seconds - Length of the test part in units of the times, which are seconds as a rule. Above 0.
 * @throws {@link Gru4RecError} `ERR_DATA` when nothing is left to train on.
 */
export async function splitByTime(data: DataInput, seconds: number): Promise<Split> {
  if (typeof seconds !== "number" || !(seconds > 0))
    throw new Gru4RecError("ERR_ARGUMENT", expected("seconds", "a number above 0", seconds));
  const log = await readEvents(data);

  const lastTimes = new Float64Array(log.sessionIds.length).fill(-Infinity);
  let latest = -Infinity;
  log.sessions.forEach((session, event) => {
    const time = log.times[event]!;
    if (time > lastTimes[session]!) lastTimes[session] = time;
    if (time > latest) latest = time;
  });

  const inTest = (event: number) => lastTimes[log.sessions[event]!]! > latest - seconds;
  const events = log.sessions.map((_, event) => event);
  const trainEvents = events.filter((event) => !inTest(event));
  if (trainEvents.length === 0) {
    const message = `Expected sessions that end before the last ${seconds} seconds of the log, to train on, but received none`;
    throw new Gru4RecError("ERR_DATA", message);
  }
  return { train: selectEvents(log, trainEvents), test: selectEvents(log, events.filter(inTest)) };
}
