import { checkId, indicesOf, isList, type ItemId, type SessionId, type Vocabulary } from "../data";
import { checkInteger, checkOptions, expected, Gru4RecError, untilAborted } from "../errors";
import { runNative, type NativeModel, type NativeSlots } from "../native";

/** How {@link Predictor} works. */
export interface PredictorOptions {
  /** Number of slots: sessions that go on side by side, from 1 to 65,536. Default 64. */
  readonly batchSize?: number | undefined;
}

/** How one call of {@link Predictor.next} runs. */
export interface NextOptions {
  /** Stops the call within 100 ms, with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_BATCH_SIZE = 64;
const LARGEST_BATCH_SIZE = 65_536;

/**
 * Scores sessions that go on event by event (the author's predict_next_batch): it keeps a hidden state in each of its
 * `batchSize` slots, so that an event costs the same however long its session is. Made by `model.predictor()`; its
 * memory goes with it or with the model.
 *
 * @example
 * ```js
 * const predictor = model.predictor({ batchSize: 2 });
 * await predictor.next(["ann", "bob"], ["sofa", "lamp"]); // [2, items]: what follows sofa, and what follows lamp
 * await predictor.next(["ann", "bob"], ["rug", "desk"]); // what follows sofa, rug, and what follows lamp, desk
 * await predictor.next(["ann", "cyd"], ["desk", "sofa"]); // ann goes on; a new session begins in the second slot
 * ```
 */
export class Predictor<Id extends ItemId = ItemId> {
  /** Number of slots. */
  readonly batchSize: number;
  readonly #native: NativeModel;
  readonly #vocabulary: Vocabulary;
  /** Made when first needed. */
  #slots: NativeSlots | undefined;
  /** [slots] what session each slot is in; absent = all begin anew. */
  #sessionIds: readonly SessionId[] | undefined;
  /** Settles when all calls so far are over. */
  #calls: Promise<unknown> = Promise.resolve();

  /** @hidden `model.predictor()` makes one. */
  constructor(native: NativeModel, vocabulary: Vocabulary, options: PredictorOptions) {
    checkOptions(options, ["batchSize"]);
    const { batchSize = DEFAULT_BATCH_SIZE } = options;
    checkInteger("batchSize", batchSize, 1, LARGEST_BATCH_SIZE);
    this.batchSize = batchSize;
    this.#native = native;
    this.#vocabulary = vocabulary;
  }

  /**
   * Gives every slot one event and scores what comes next in it. A slot whose session id is another than in the call
   * before begins that session in the zero state. An item that the model does not know leaves its slot as it is (zero
   * where the session has just begun), so a slot without an event gets its session id and any such item.
   *
   * Calls may overlap; they run in their order. One that is refused, fails or is stopped changes nothing.
   * @param sessionIds - [batchSize] ids of the slots' sessions.
   * @param itemIds - [batchSize] the events.
   * @param itemsToPredict - Items to score, a column each, in their order. Default all items by index.
   * @returns [batchSize, items], row-major.
   * @throws {@link Gru4RecError} `ERR_ARGUMENT` where lengths or ids are wrong or an item to predict is unknown;
   * `ERR_DISPOSED` after the model's dispose(); `ERR_ABORTED`; `ERR_OUT_OF_MEMORY`; `ERR_NOT_FINITE`.
   */
  async next(
    sessionIds: ArrayLike<SessionId>,
    itemIds: ArrayLike<Id>,
    itemsToPredict?: ArrayLike<Id>,
    options: NextOptions = {},
  ): Promise<Float32Array> {
    checkOptions(options, ["signal"]);
    const { signal } = options;
    const sessions = this.#readIds("sessionIds", sessionIds);
    const input = Int32Array.from(this.#readIds("itemIds", itemIds), (id) => this.#vocabulary.indexOf(id) ?? -1);
    const items =
      itemsToPredict === undefined ? undefined : indicesOf(this.#vocabulary, itemsToPredict, "itemsToPredict");
    if (items?.length === 0)
      throw new Gru4RecError("ERR_ARGUMENT", expected("itemsToPredict", "one item or more", itemsToPredict));
    const events = { input, ...(items && { items }) };

    const turn = this.#calls;
    const scores = untilAborted(turn, signal).then(() => this.#step(sessions, events, signal));
    this.#calls = Promise.allSettled([turn, scores]);
    return scores;
  }

  /** All slots begin anew with the next call of {@link next}, whatever its session ids are. */
  reset(): void {
    this.#calls = this.#calls.then(() => (this.#sessionIds = undefined));
  }

  async #step(
    sessions: readonly SessionId[],
    events: { readonly input: Int32Array; readonly items?: Int32Array },
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const before = this.#sessionIds;
    const starts = Uint8Array.from(sessions, (id, slot) => (before && sameId(before[slot]!, id) ? 0 : 1));
    this.#slots ??= await runNative(undefined, () => this.#native.openSlots(this.batchSize));
    const slots = this.#slots;
    const scores = await runNative(signal, (cancellation) =>
      this.#native.nextInSlots(slots, { starts, ...events }, cancellation),
    );
    this.#sessionIds = sessions;
    return scores;
  }

  /** A copy, as the caller may use the array again before it is the call's turn. */
  #readIds<T extends ItemId | SessionId>(name: string, ids: ArrayLike<T>): T[] {
    const given: unknown = ids;
    const what = `an array with an id for each slot (${this.batchSize} in all)`;
    if (!isList(given)) throw new Gru4RecError("ERR_ARGUMENT", expected(name, what, given));
    if (ids.length !== this.batchSize)
      throw new Gru4RecError("ERR_ARGUMENT", `Expected ${name} to be ${what} but received an array of ${ids.length}`);
    return Array.from(ids, (id, slot) => {
      checkId(id, `${name}[${slot}]`, "ERR_ARGUMENT");
      return id;
    });
  }
}

/** Ids are the same when their texts are. */
function sameId(a: SessionId, b: SessionId): boolean {
  return a === b || String(a) === String(b);
}
