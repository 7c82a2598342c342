import { Gru4RecError } from "../errors";
import type { EventLog } from "./event-log";
import type { ItemId } from "./ids";
import { sortByTimes } from "./rows/sort-times";
import { inTurns } from "./turns";
import { Vocabulary } from "./vocabulary";

/** Items that stay in the file of a prepared log until they are trained on, window by window. */
export interface ItemsInFile {
  readonly path: string;
  /** Of the file, in bytes, when its contents were checked. */
  readonly size: number;
  /** When it had been written to, in ns since 1970. */
  readonly modified: bigint;
  /** Byte of the file at which the items begin. */
  readonly position: number;
  /** Most events that are in memory at a time, twice. */
  readonly window: number;
  /** Items in the file are below this. */
  readonly itemCount: number;
  /** [sessions + 1] where the events of each session begin in the file */
  readonly places: Int32Array;
  /** [itemCount] the index of each of the file's items, -1 = its events are left out; absent = they are the indices. */
  readonly indexOf?: Int32Array;
}

/** Sessions of item indices. Events of session s are items[offsets[s] … offsets[s + 1]), oldest first. */
export interface Sessions<Items = Int32Array> {
  /** [events] */
  readonly items: Items;
  /** [sessions + 1], ascending */
  readonly offsets: Int32Array;
}

/** What a model is trained on. */
export interface TrainingData<Id extends ItemId = ItemId> {
  /** All items of the log. */
  readonly vocabulary: Vocabulary<Id>;
  /** [items] events of each item, those of sessions too short to train on included. */
  readonly support: Uint32Array;
  /** In ascending order of session id; those of one event are passed over. */
  readonly sessions: Sessions<Int32Array | ItemsInFile>;
  /** [sessions] Unix seconds of the first event */
  readonly startTimes: Float64Array;
}

/** The same in memory. */
export interface TrainingDataInMemory<Id extends ItemId = ItemId> extends TrainingData<Id> {
  readonly sessions: Sessions;
}

/** What a model is evaluated on. */
export interface EvaluationData {
  /** In ascending order of session id; each has two known events or more. */
  readonly sessions: Sessions;
  /** Events of items that the model does not know. */
  readonly skippedEvents: number;
}

/**
 * Sessions of the events for which `indexOf` knows the item; those with fewer than two such events are left out.
 * @param indexOf - [items of the log] index of the item, -1 = unknown.
 */
function buildSessions(log: EventLog, indexOf: Int32Array): { sessions: Sessions; startTimes: Float64Array } {
  const { offsets } = log;
  const items = new Int32Array(log.items.length);
  const kept = new Int32Array(offsets.length);
  const startTimes = new Float64Array(offsets.length - 1);
  let sessions = 0;
  let end = 0;
  for (let s = 0; s + 1 < offsets.length; ++s) {
    const start = end;
    for (let event = offsets[s]!; event < offsets[s + 1]!; ++event) {
      const index = indexOf[log.items[event]!]!;
      if (index >= 0) items[end++] = index;
    }
    if (end - start < 2) {
      end = start;
      continue;
    }
    startTimes[sessions] = log.startTimes[s]!;
    kept[++sessions] = end;
  }
  return {
    sessions: { items: items.slice(0, end), offsets: kept.slice(0, sessions + 1) },
    startTimes: startTimes.slice(0, sessions),
  };
}

/** [items] events of each item of a log */
function countEvents(log: EventLog): Uint32Array {
  const support = new Uint32Array(log.itemIds.length);
  const { items } = log;
  for (let event = 0; event < items.length; ++event) ++support[items[event]!]!;
  return support;
}

/**
 * Makes training data of a log: its items, and its sessions as they are, without a copy.
 * @throws {@link Gru4RecError} `ERR_DATA` when no session has two events or more.
 */
export function prepareTraining<Id extends ItemId>(log: EventLog<Id>): TrainingDataInMemory<Id> {
  const { items, offsets, startTimes } = log;
  if (items.length === startTimes.length) throw noSession(log, ""); // one event each
  const vocabulary = new Vocabulary<Id>(log.itemKind, log.itemIds);
  return { vocabulary, support: countEvents(log), sessions: { items, offsets }, startTimes };
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
  countEvents(log).forEach((events, item) => {
    if (indexOf[item]! >= 0) support[indexOf[item]!] = events;
  });
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

/** @param which - Says more of the events. */
export function noSession(
  log: { readonly items: { readonly length: number }; readonly startTimes: Float64Array },
  which: string,
): Gru4RecError {
  const received = `${log.items.length} events in ${log.startTimes.length} sessions`;
  return new Gru4RecError("ERR_DATA", `Expected a session with two events or more${which} but received ${received}`);
}

/**
 * Order in which sessions are trained. Those of one event have nothing to train on and are left out.
 * @param timeSort - By the time of the first event, oldest first, ties by ascending session id; else by session id.
 * @returns Session numbers.
 * @throws {@link Gru4RecError} `ERR_ABORTED`
 */
export async function trainingOrder(
  { sessions: { offsets }, startTimes }: Pick<TrainingData, "sessions" | "startTimes">,
  timeSort: boolean,
  signal: AbortSignal | undefined,
): Promise<Int32Array> {
  const trained = new Int32Array(startTimes.length);
  const times = new Float64Array(timeSort ? startTimes.length : 0);
  let count = 0;
  await inTurns(startTimes.length, signal, (from, to) => {
    for (let session = from; session < to; ++session) {
      if (offsets[session + 1]! - offsets[session]! < 2) continue;
      if (timeSort) times[count] = startTimes[session]!;
      trained[count++] = session;
    }
  });
  const order = trained.subarray(0, count);
  return timeSort ? sortByTimes(order, times.subarray(0, count), signal) : order;
}
