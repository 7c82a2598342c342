import type { Config } from "../config";
import {
  prepareEvaluation,
  readEvents,
  type DataInput,
  type ItemId,
  type SessionItems,
  type TrainingData,
  type Vocabulary,
} from "../data";
import { checkEvaluateOptions, evaluateModel, type EvaluateOptions, type Evaluation } from "../evaluation";
import { aborted, callNative, createModel, runNative, type NativeModel } from "../native";
import {
  Predictor,
  predictScores,
  recommendAll,
  recommendItems,
  type PredictOptions,
  type PredictorOptions,
  type RankingModel,
  type Recommendations,
  type RecommendAllOptions,
  type RecommendOptions,
  type SessionStream,
} from "../prediction";
import { trainEpochs, type EpochReport, type TrainEpochsOptions } from "../training";
import { readModelFile, writeModelFile, type LoadOptions, type ModelContents } from "./model-file";

/**
 * A trained model. It holds native memory until {@link dispose} or garbage collection. Calls of {@link recommend},
 * {@link predict} and {@link evaluate} may overlap; they run in their order.
 */
export class Gru4Rec {
  readonly #native: NativeModel;
  readonly #vocabulary: Vocabulary;
  readonly #support: Uint32Array;
  /** The effective configuration that it was trained with. */
  readonly config: Config;
  /** What each epoch of training came to. */
  readonly history: readonly EpochReport[];

  private constructor(native: NativeModel, contents: ModelContents) {
    this.#native = native;
    this.#vocabulary = contents.vocabulary;
    this.#support = contents.support;
    this.config = contents.config;
    this.history = contents.history;
  }

  /** Trains a new model; `train()` is what reads data and options for it. */
  static async fit(data: TrainingData, config: Config, options: TrainEpochsOptions): Promise<Gru4Rec> {
    const { vocabulary, support } = data;
    const native = createModel(config, vocabulary.size);
    try {
      const { sigma, initAsNormal: normal, seed } = config;
      await runNative(options.signal, () => native.initialise({ sigma, normal, seed }));
      const history = await trainEpochs(native, data, config, options);
      return new Gru4Rec(native, { config, vocabulary, support, history });
    } catch (error) {
      native.dispose();
      throw error;
    }
  }

  /**
   * Reads a model file. It computes on the device and threads of `options`, not on those that it was trained with.
   * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_MODEL_FILE` when it is no whole model file.
   */
  static async load(path: string, options: LoadOptions = {}): Promise<Gru4Rec> {
    const { native, contents } = await readModelFile(path, options);
    return new Gru4Rec(native, contents);
  }

  get #ranking(): RankingModel {
    return { native: this.#native, vocabulary: this.#vocabulary, support: this.#support };
  }

  /** Number of items that the model knows. */
  get itemCount(): number {
    return this.#vocabulary.size;
  }

  /** Where the model computes, such as "cpu (avx512, 2 threads)". */
  get device(): string {
    return callNative(() => this.#native.device());
  }

  /** The items that the model knows, by index. */
  itemIds(): ItemId[] {
    return Array.from(this.#vocabulary.ids as ArrayLike<ItemId>);
  }

  /**
   * Measures next-item prediction: every event of a session from the ones before it. Events of items that the model
   * does not know are removed first and counted.
   * @throws {@link Gru4RecError} `ERR_DATA` when no session with two known events is left; `ERR_ARGUMENT`.
   */
  async evaluate(data: DataInput, options: EvaluateOptions = {}): Promise<Evaluation> {
    if (options.signal?.aborted) throw aborted(options.signal);
    const checked = checkEvaluateOptions(options, this.#vocabulary);
    const prepared = prepareEvaluation(await readEvents(data), this.#vocabulary);
    return evaluateModel(this.#native, prepared, checked, options.signal);
  }

  /**
   * Scores items as the next event of each session. Items that the model does not know are skipped; a session without
   * any known one is scored from the zero state. An empty array is no session, and gives no row.
   * @param sessions - Sessions as lists of item ids, oldest first, or the list of a single one.
   * @returns [sessions, items], row-major.
   * @throws {@link Gru4RecError} `ERR_ARGUMENT` when `options.items` has an unknown item.
   */
  async predict(sessions: SessionItems | readonly SessionItems[], options: PredictOptions = {}): Promise<Float32Array> {
    return predictScores(this.#native, this.#vocabulary, sessions, options);
  }

  /**
   * Scores sessions that go on event by event, many at a time (the author's predict_next_batch).
   * @throws {@link Gru4RecError} `ERR_ARGUMENT` when `options.batchSize` is out of range.
   */
  predictor(options: PredictorOptions = {}): Predictor {
    return new Predictor(this.#native, this.#vocabulary, options);
  }

  /**
   * Ranks items as the next event of one session, or of several.
   * @param session - Item ids, oldest first; those that the model does not know are skipped and counted. When none is
   * left, the items rank by their training support, with `fallback: true`. An empty array is one session without events.
   * @throws {@link Gru4RecError} `ERR_ARGUMENT` when `options.k` is out of range, `options.items` has an unknown item,
   * or `items` or `exclude` has lists for another number of sessions.
   */
  async recommend(session: SessionItems, options?: RecommendOptions): Promise<Recommendations>;
  async recommend(sessions: readonly SessionItems[], options?: RecommendOptions): Promise<Recommendations[]>;
  async recommend(
    input: SessionItems | readonly SessionItems[],
    options: RecommendOptions = {},
  ): Promise<Recommendations | Recommendations[]> {
    return recommendItems(this.#ranking, input, options);
  }

  /**
   * Ranks items as the next event of each of any number of sessions, in constant memory: sessions are read as they are
   * needed, three batches ahead at most, and the lists come in their order. Leaving the loop closes the iterable.
   *
   * What the iterable throws, and a session that is none, ends the iteration with that error; the lists of its own
   * batch before it are then missing.
   * @example
   * ```js
   * for await (const { items } of model.recommendAll(sessions, { k: 10, excludeSeen: true })) console.log(items);
   * ```
   * @param sessions - Each a list of item ids, oldest first, or `{ session, exclude }` with exclusions of its own.
   * @throws {@link Gru4RecError} from the iteration, as of {@link recommend}; `ERR_ABORTED`.
   */
  recommendAll(
    sessions: SessionStream,
    options: RecommendAllOptions = {},
  ): AsyncGenerator<Recommendations, void, undefined> {
    return recommendAll(this.#ranking, sessions, options);
  }

  /**
   * Writes the model to a file (safetensors). An existing file is replaced at once, or stays as it is when this fails.
   * @throws {@link Gru4RecError} `ERR_FILE` when the file cannot be written.
   */
  async save(path: string): Promise<void> {
    const { config, history } = this;
    await writeModelFile(path, this.#native, {
      config,
      history,
      vocabulary: this.#vocabulary,
      support: this.#support,
    });
  }

  /**
   * Frees the native memory; any other call after it gives `ERR_DISPOSED`.
   * @throws {@link Gru4RecError} `ERR_BUSY` while another call runs.
   */
  dispose(): void {
    callNative(() => this.#native.dispose());
  }

  /** Like {@link dispose}. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve().then(() => this.dispose());
  }
}
