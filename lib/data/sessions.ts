import { Gru4RecError } from "../errors";
import type { EventLog } from "./event-log";
import { compareIds, type ItemId } from "./ids";
import { Vocabulary } from "./vocabulary";

/** Sessions of item indices. Events of session s are items[offsets[s] … offsets[s + 1]), oldest first. */
export interface Sessions {
  /** [events] */
  readonly items: Int32Array;
  /** [sessions + 1], ascending */
  readonly offsets: Int32Array;
}

/** What a model is trained on. */
export interface TrainingData<Id extends ItemId = ItemId> {
  /** All items of the log. */
  readonly vocabulary: Vocabulary<Id>;
  /** [items] events of each item, those of sessions too short to train on included. */
  readonly support: Uint32Array;
  /** In ascending order of session id; each has two events or more. */
  readonly sessions: Sessions;
  /** [sessions] time of the first event */
  readonly startTimes: Float64Array;
}

/** What a model is evaluated on. */
export interface EvaluationData {
  /** In ascending order of session id; each has two known events or more. */
  readonly sessions: Sessions;
  /** Events of items that the model does not know. */
  readonly skippedEvents: number;
}

/** Order of the sessions of a log: [sessions] session numbers by ascending id. */
function sortSessions(log: EventLog): Int32Array {
  const order = new Int32Array(log.sessionIds.length).map((_, session) => session);
  return order.sort((a, b) => compareIds(log.sessionIds[a]!, log.sessionIds[b]!));
}

/** Events of a log by session (ascending id), then time, then their place in the log. */
function sortEvents(log: EventLog): { events: Int32Array; offsets: Int32Array } {
  const order = sortSessions(log);
  const place = new Int32Array(order.length);
  order.forEach((session, i) => (place[session] = i));

  const offsets = new Int32Array(order.length + 1);
  for (const session of log.sessions) ++offsets[place[session]! + 1]!;
  for (let s = 0; s < order.length; ++s) offsets[s + 1]! += offsets[s]!;
  const next = offsets.slice(0, -1);
  const events = new Int32Array(log.sessions.length);
  log.sessions.forEach((session, event) => (events[next[place[session]!]!++] = event));

  const { times } = log;
  for (let s = 0; s < order.length; ++s) {
    const session = events.subarray(offsets[s], offsets[s + 1]);
    if (session.some((event, i) => i > 0 && times[event]! < times[session[i - 1]!]!))
      session.sort((a, b) => times[a]! - times[b]! || a - b);
  }
  return { events, offsets };
}

/**
 * Sessions of the events for which `indexOf` knows the item; those with fewer than two such events are left out.
 * @param indexOf - [item numbers] index of the item, -1 = unknown.
 */
function buildSessions(
  log: EventLog,
  indexOf: Int32Array | undefined,
): { sessions: Sessions; startTimes: Float64Array } {
  const { events, offsets } = sortEvents(log);
  const items = new Int32Array(events.length);
  const kept = new Int32Array(offsets.length);
  const startTimes = new Float64Array(offsets.length - 1);
  let sessions = 0;
  let end = 0;
  for (let s = 0; s + 1 < offsets.length; ++s) {
    const start = end;
    for (let e = offsets[s]!; e < offsets[s + 1]!; ++e) {
      const number = log.items[events[e]!]!;
      const index = indexOf === undefined ? number : indexOf[number]!;
      if (index >= 0) items[end++] = index;
    }
    if (end - start < 2) {
      end = start;
      continue;
    }
    startTimes[sessions] = log.times[events[offsets[s]!]!]!;
    kept[++sessions] = end;
  }
  return {
    sessions: { items: items.slice(0, end), offsets: kept.slice(0, sessions + 1) },
    startTimes: startTimes.slice(0, sessions),
  };
}

/**
 * Makes training data of a log: its items in the order of their first appearance, its sessions with two events or more.
 * @throws {@link Gru4RecError} `ERR_DATA` when there is no such session.
 */
export function prepareTraining<Id extends ItemId>(log: EventLog<Id>): TrainingData<Id> {
  const support = new Uint32Array(log.itemIds.length);
  for (const item of log.items) ++support[item]!;
  const { sessions, startTimes } = buildSessions(log, undefined);
  if (startTimes.length === 0) throw noSession(log, "");
  return { vocabulary: new Vocabulary<Id>(log.itemKind, log.itemIds), support, sessions, startTimes };
}

/** Item indices of a log's item numbers, -1 = the vocabulary does not know the item; and how many events have none. */
function lookUp(log: EventLog, vocabulary: Vocabulary): { indexOf: Int32Array; skippedEvents: number } {
  const indexOf = new Int32Array(log.itemIds.length).map((_, item) => vocabulary.indexOf(log.itemIds[item]!) ?? -1);
  let skippedEvents = 0;
  for (const item of log.items) if (indexOf[item]! < 0) ++skippedEvents;
  return { indexOf, skippedEvents };
}

/**
 * Makes data of a log to train a model on that there is already. Events of items that it does not know are removed, so
 * that their neighbours join.
 * @throws {@link Gru4RecError} `ERR_DATA` when no session with two known events is left.
 */
export function prepareRetraining<Id extends ItemId>(
  log: EventLog,
  vocabulary: Vocabulary<Id>,
): TrainingData<Id> & Pick<EvaluationData, "skippedEvents"> {
  const { indexOf, skippedEvents } = lookUp(log, vocabulary);
  const support = new Uint32Array(vocabulary.size);
  for (const item of log.items) if (indexOf[item]! >= 0) ++support[indexOf[item]!]!;
  const { sessions, startTimes } = buildSessions(log, indexOf);
  if (startTimes.length === 0) throw noSession(log, " of items that the model knows");
  return { vocabulary, support, sessions, startTimes, skippedEvents };
}

/**
 * Makes evaluation data of a log for a model. Events of items that it does not know are removed, so that their
 * neighbours join.
 * @throws {@link Gru4RecError} `ERR_DATA` when no session with two known events is left.
 */
export function prepareEvaluation(log: EventLog, vocabulary: Vocabulary): EvaluationData {
  const { indexOf, skippedEvents } = lookUp(log, vocabulary);
  const { sessions } = buildSessions(log, indexOf);
  if (sessions.items.length === 0) throw noSession(log, " of items that the model knows");
  return { sessions, skippedEvents };
}

function noSession(log: EventLog, which: string): Gru4RecError {
  const received = `${log.items.length} events in ${log.sessionIds.length} sessions`;
  return new Gru4RecError("ERR_DATA", `Expected a session with two events or more${which} but received ${received}`);
}

/**
 * Order in which sessions are trained.
 * @param timeSort - By the time of the first event, oldest first, ties by ascending session id; else by session id.
 * @returns [sessions] session numbers
 */
export function trainingOrder(startTimes: Float64Array, timeSort: boolean): Int32Array {
  const order = new Int32Array(startTimes.length).map((_, session) => session);
  return timeSort ? order.sort((a, b) => startTimes[a]! - startTimes[b]! || a - b) : order;
}
