import { isList, knownIndexSetOf, packSessions, type ItemId, type SessionItems } from "../data";
import { aborted, checkInteger, checkOptions, expected, Gru4RecError, untilAborted } from "../errors";
import { CHOICE_OPTIONS, readChoice, type Choice, type ChoiceOptions } from "./item-choice";
import { rankSessions, type RankingModel } from "./rank-sessions";
import type { Recommendations } from "./recommendations";
import { SessionSource } from "./session-source";

/** A session with items that it alone is never to get, besides those of the options. */
export interface SessionRequest<Id extends ItemId = ItemId> {
  /** Item ids, oldest first. */
  readonly session: SessionItems<Id>;
  /** Items that the model does not know change nothing. Default none. */
  readonly exclude?: ArrayLike<Id> | undefined;
}

/** Sessions of any number, read as they are needed. */
export type SessionStream<Id extends ItemId = ItemId> =
  Iterable<SessionItems<Id> | SessionRequest<Id>> | AsyncIterable<SessionItems<Id> | SessionRequest<Id>>;

/** What any number of sessions may be recommended. */
export interface RecommendAllOptions<Id extends ItemId = ItemId> extends ChoiceOptions<Id> {
  /** One list for all sessions. */
  readonly items?: ArrayLike<Id> | undefined;
  /** One list for all sessions. */
  readonly exclude?: ArrayLike<Id> | undefined;
  /** Sessions read and ranked together, from 1 to 65,536; matters for speed and memory alone. Default 512. */
  readonly batchSize?: number | undefined;
  /** Stops the iteration within 100 ms, with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

const RECOMMEND_ALL_OPTIONS = [...CHOICE_OPTIONS, "batchSize", "signal"];
const DEFAULT_BATCH_SIZE = 512;
export const LARGEST_BATCH_SIZE = 65_536;

/**
 * Ranks items as the next event of each session, in their order. While the caller takes the lists of a batch the next
 * one is ranked, and the one after it is read.
 */
export async function* recommendAll(
  model: RankingModel,
  sessions: SessionStream,
  options: RecommendAllOptions,
): AsyncGenerator<Recommendations, void, undefined> {
  checkOptions(options, RECOMMEND_ALL_OPTIONS);
  const { batchSize = DEFAULT_BATCH_SIZE, signal } = options;
  checkInteger("batchSize", batchSize, 1, LARGEST_BATCH_SIZE);
  const choice = readSharedChoice(model, options);
  if (signal?.aborted) throw aborted(signal);

  const source = new SessionSource(sessions);
  const stop = new AbortController();
  const abort = () => stop.abort(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });

  let first = 0;
  let reading = handled(source.read(batchSize));
  const rankNext = async (): Promise<Recommendations[]> => {
    const batch = await untilAborted(reading, stop.signal);
    if (batch.length === 0) return [];
    const lists = handled(rankBatch(model, batch, first, choice, stop.signal));
    first += batch.length;
    reading = handled(source.read(batchSize)); // while the engine ranks
    return lists;
  };
  let ranking = handled(rankNext());
  try {
    for (;;) {
      const lists = await ranking;
      if (lists.length === 0) return;
      ranking = handled(rankNext());
      for (const list of lists) {
        if (stop.signal.aborted) throw aborted(stop.signal);
        yield list;
      }
    }
  } catch (error) {
    await handled(source.close()).catch(() => undefined); // the first error counts
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
    stop.abort();
    await ranking.catch(() => undefined); // so that the model is idle when the iteration is over
    await source.close();
  }
}

/** Marks a promise that is awaited later: until then its failure is no unhandled one. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** @throws {@link Gru4RecError} `ERR_ARGUMENT`, also for a list for each session. */
function readSharedChoice(model: RankingModel, options: RecommendAllOptions): Choice {
  for (const name of ["items", "exclude"] as const) {
    const list: unknown = options[name];
    if (Array.isArray(list) && isList(list[0]))
      throw new Gru4RecError("ERR_ARGUMENT", expected(name, "one list of item ids for all sessions", list));
  }
  return readChoice(model.vocabulary, options, 0);
}

/** @param first - Number of the batch's first session. */
async function rankBatch(
  model: RankingModel,
  batch: readonly (SessionItems | SessionRequest)[],
  first: number,
  choice: Choice,
  signal: AbortSignal,
): Promise<Recommendations[]> {
  const { vocabulary } = model;
  const nameOf = (s: number) => `sessions[${first + s}]`;
  const requests = batch.map((element, s) => readRequest(element, nameOf(s)));
  const packed = packSessions(
    vocabulary,
    requests.map(({ session }) => session),
    (s) => (isList(batch[s]) ? nameOf(s) : `${nameOf(s)}.session`),
  );
  const own = requests.map(({ exclude = [] }, s) => knownIndexSetOf(vocabulary, exclude, `${nameOf(s)}.exclude`));
  return rankSessions(model, packed, { ...choice, excluded: [...choice.excluded, own] }, signal);
}

function readRequest(element: unknown, name: string): SessionRequest {
  if (isList(element)) return { session: element as SessionItems };
  if (typeof element === "object" && element !== null && "session" in element) return element as SessionRequest;
  throw new Gru4RecError("ERR_ARGUMENT", expected(name, "an array of item ids or { session, exclude }", element));
}
