import { aborted, untilAborted } from "../errors";
import { withSafetensors, type SafetensorsFile, type TensorInfo, type TensorValues } from "../files";
import type { ItemId } from "./ids";
import { checkItems, checkOffsets, checkTimes, LOG_KIND, readLayout } from "./log-file";
import { noSession, type EvaluationData, type ItemsInFile, type TrainingData } from "./sessions";
import type { Vocabulary } from "./vocabulary";
import { vocabularyLayout, VocabularyReader } from "./vocabulary-tensors";

/** A prepared log without the items and times of its events. */
interface OpenLog {
  readonly vocabulary: Vocabulary;
  /** [items] events of each item */
  readonly support: Uint32Array;
  /** [sessions + 1] where the events of each session begin that have an index */
  readonly offsets: Int32Array;
  /** [sessions] Unix seconds of the first event */
  readonly startTimes: Float64Array;
  /** With the index of each item, where there are others. */
  readonly items: ItemsInFile;
  readonly events: number;
}

/**
 * Makes training data of a prepared log whose items stay in the file, as `prepareTraining` does of one in memory. Reads
 * through the file once and checks all of it.
 * @param path - A file of `writeLog`.
 * @param window - Most events that training has in memory at a time, twice.
 * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_DATA` when it is no whole log, or no session has
 * two events or more; `ERR_ABORTED`.
 */
export async function openTraining<Id extends ItemId>(
  path: string,
  window: number,
  signal: AbortSignal | undefined,
): Promise<TrainingData<Id>> {
  const log = await open(path, window, undefined, signal);
  return { ...trainingData(log, ""), vocabulary: log.vocabulary as Vocabulary<Id>, support: log.support };
}

/**
 * The same to train a model on that there is already, as `prepareRetraining` does.
 * @param known - The items of the model.
 * @throws As {@link openTraining} does; `ERR_DATA` when no session with two known events is left.
 */
export async function openRetraining<Id extends ItemId>(
  path: string,
  window: number,
  known: Vocabulary<Id>,
  signal: AbortSignal | undefined,
): Promise<TrainingData<Id> & Pick<EvaluationData, "skippedEvents">> {
  const log = await open(path, window, known, signal);
  const support = new Uint32Array(known.size);
  let skippedEvents = 0;
  log.support.forEach((events, item) => {
    const index = log.items.indexOf![item]!;
    if (index >= 0) support[index] = events;
    else skippedEvents += events;
  });
  return { ...trainingData(log, " of items that the model knows"), vocabulary: known, support, skippedEvents };
}

function trainingData({ items, offsets, startTimes, events }: OpenLog, which: string) {
  const hasPair = startTimes.some((_, s) => offsets[s + 1]! - offsets[s]! >= 2);
  if (!hasPair) throw noSession({ items: { length: events }, startTimes }, which);
  return { sessions: { items, offsets }, startTimes };
}

function open(
  path: string,
  window: number,
  known: Vocabulary | undefined,
  signal: AbortSignal | undefined,
): Promise<OpenLog> {
  const opening = withSafetensors(path, LOG_KIND, (file) => read(file, { path, window }, known, signal));
  return untilAborted(opening, signal);
}

async function read(
  file: SafetensorsFile,
  place: Pick<ItemsInFile, "path" | "window">,
  known: Vocabulary | undefined,
  signal: AbortSignal | undefined,
): Promise<OpenLog> {
  const { itemKind, itemCount, sessions, events } = readLayout(file);
  // First what says whose the events are, wherever in the file it is.
  const places = new Int32Array(sessions + 1);
  const ids = new VocabularyReader(itemKind, itemCount, file.tensors);
  const idTensors = vocabularyLayout(itemKind, itemCount).map(({ name }) => name);
  await file.readTensors(["offsets", ...idTensors], ({ name }, first, values) => {
    if (name === "offsets") places.set(values as Int32Array, first);
    else ids.add(name, first, values);
  });
  checkOffsets(places, events);
  const vocabulary = ids.vocabulary();
  const indexOf = known && indicesIn(known, vocabulary);

  const support = new Uint32Array(itemCount);
  const startTimes = new Float64Array(sessions);
  const offsets = indexOf === undefined ? places : new Int32Array(sessions + 1);
  const timed = new SessionWalk(places);
  const counted = new SessionWalk(places);
  const visit = {
    times(first: number, times: Float64Array) {
      checkTimes(times);
      timed.visit(first, times.length, (s, from) => {
        if (first + from === places[s]) startTimes[s] = times[from]!;
      });
    },
    items(first: number, items: Int32Array) {
      checkItems(items, itemCount);
      for (let event = 0; event < items.length; ++event) ++support[items[event]!]!;
      if (indexOf === undefined) return;
      counted.visit(first, items.length, (s, from, end) => {
        for (let event = from; event < end; ++event) if (indexOf[items[event]!]! >= 0) ++offsets[s + 1]!;
      });
    },
  };
  await file.read(({ name }: TensorInfo, first: number, values: TensorValues) => {
    if (signal?.aborted) throw aborted(signal);
    if (name === "times") visit.times(first, values as Float64Array);
    else if (name === "items") visit.items(first, values as Int32Array);
  });
  if (indexOf !== undefined) for (let s = 0; s < sessions; ++s) offsets[s + 1]! += offsets[s]!;

  const { size, modified } = file;
  const position = file.positionOf("items");
  const items: ItemsInFile = { ...place, size, modified, position, itemCount, places, ...(indexOf && { indexOf }) };
  return { vocabulary, support, offsets, startTimes, items, events };
}

/** [items of `vocabulary`] their indices in `known`, -1 = it does not know them. */
function indicesIn(known: Vocabulary, vocabulary: Vocabulary): Int32Array {
  return new Int32Array(vocabulary.size).map((_, item) => known.indexOf(vocabulary.idAt(item)) ?? -1);
}

/** The sessions of events that come piece by piece, from the first one to the last. */
class SessionWalk {
  /** The first session that has not ended. */
  #session = 0;

  /** @param offsets - [sessions + 1] where the events of each session begin */
  constructor(private readonly offsets: Int32Array) {}

  /**
   * @param first - The first event of the piece.
   * @param count - Events of the piece.
   * @param visit - Is given a session, and which events of the piece are its: from `from` up to `end`.
   */
  visit(first: number, count: number, visit: (session: number, from: number, end: number) => void): void {
    const { offsets } = this;
    for (let from = 0; from < count;) {
      const ownEnd = offsets[this.#session + 1]! - first;
      const end = Math.min(ownEnd, count);
      visit(this.#session, from, end);
      if (end === ownEnd) ++this.#session;
      from = end;
    }
  }
}
