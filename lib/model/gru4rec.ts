import type { Config } from "../config";
import {
  openRetraining,
  pickReadOptions,
  prepareEvaluation,
  prepareRetraining,
  READ_OPTIONS,
  readEvents,
  type DataInput,
  type ItemId,
  type ReadOptions,
  type SessionItems,
  type TrainingData,
  type Vocabulary,
} from "../data";
import { aborted, checkOptions, Gru4RecError } from "../errors";
import {
  checkEvaluateOptions,
  EVALUATE_OPTIONS,
  evaluateModel,
  type EvaluateOptions,
  type Evaluation,
} from "../evaluation";
import { callNative, createModel, missingCublas, runNative, type NativeModel } from "../native";
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
import { isOptimiserState, readModelFile, writeModelFile, type LoadOptions, type ModelContents } from "./model-file";
import { retrainConfig, type ChangeableParameters } from "./retrain-config";
import { readTrainingRun, takeRunOptions, warn, type RunOptions } from "./training-run";

/** Hyperparameters that may change, and how to run. */
export interface RetrainOptions extends ChangeableParameters, RunOptions {}

/** What a training of a model that was there already came to. */
export interface Retraining {
  /** Its epochs. */
  readonly history: readonly EpochReport[];
  /** Events removed because the model does not know their item. */
  readonly skippedEvents: number;
}

/**
 * A trained model. It holds native memory until {@link dispose} or garbage collection. Calls of {@link recommend},
 * {@link predict} and {@link evaluate} may overlap; they run in their order.
 * @typeParam Id - Kind of the item ids: `string`, `number` or `bigint`.
 */
export class Gru4Rec<Id extends ItemId = ItemId> {
  readonly #native: NativeModel;
  readonly #vocabulary: Vocabulary<Id>;
  #contents: ModelContents<Id>;
  #training = false;
  /** Calls that have not settled. */
  #underWay = 0;

  private constructor(native: NativeModel, contents: ModelContents<Id>) {
    this.#native = native;
    this.#vocabulary = contents.vocabulary;
    this.#contents = contents;
  }

  /** @internal Trains a new model; `train()` is what reads data and options for it. */
  static async fit<Id extends ItemId>(
    data: TrainingData<Id>,
    config: Config,
    options: TrainEpochsOptions,
    run: RunOptions,
  ): Promise<Gru4Rec<Id>> {
    const { vocabulary, support } = data;
    const native = createModel(config, vocabulary.size, { toTrain: true });
    const model = new Gru4Rec<Id>(native, { config, vocabulary, support, history: [], epoch: 0 });
    try {
      warn(missingCublas(native, config), run);
      const { sigma, initAsNormal: normal, seed } = config;
      await runNative(options.signal, () => native.initialise({ sigma, normal, seed }));
      await model.#train(data, config, options);
      return model;
    } catch (error) {
      if (!(error instanceof TrainingError) || error.model === undefined) native.dispose();
      throw error;
    }
  }

  /**
   * Trains on, from the weights as they are: with the clicks of another day, or for more epochs. Events of items that the
   * model does not know are removed and counted. What the optimiser remembers begins anew, unless the model has it
   * (`keepOptimiserState`); then training goes on as if it had never stopped. Recommendations asked for meanwhile come
   * between two epochs.
   *
   * The support of the items, by which negative samples are drawn and sessions without a known item are answered, is that
   * of `data` from then on.
   * @param options - Hyperparameters left out are those of the last training.
   * @throws As `train()` does; `ERR_BUSY` while the model is being trained or another call is under way; `ERR_CONFIG` for
   * a change of the network's shape or of the device. The weights are then those of the last whole epoch.
   */
  async retrain(data: DataInput<Id>, options: RetrainOptions = {}): Promise<Retraining> {
    const { run, rest } = takeRunOptions(options);
    this.#refuseUnlessIdle("training");
    const { config, warnings } = retrainConfig(this.config, rest);
    const state = callNative(() => this.#native.tensors()).some(({ name }) => isOptimiserState(name));
    warn([...warnings, ...missingCublas(this.#native, config)], run);
    this.#training = true;
    try {
      const { data: training, options: epochs } = await readTrainingRun(data as DataInput, run, {
        prepare: (log) => prepareRetraining(log, this.#vocabulary),
        open: (path, window) => openRetraining(path, window, this.#vocabulary, run.signal),
      });
      const keepOptimiserState = run.keepOptimiserState ?? state;
      const history = await this.#train(training, config, { ...epochs, keepOptimiserState, history: this.history });
      return { history, skippedEvents: training.skippedEvents };
    } finally {
      this.#training = false;
    }
  }

  async #train(data: TrainingData<Id>, config: Config, options: TrainEpochsOptions): Promise<readonly EpochReport[]> {
    const outcome = await trainEpochs(this.#native, data, config, options);
    const { history, epoch, failure } = outcome;
    if (history.length > 0) {
      const { vocabulary, support } = data;
      this.#contents = { config, vocabulary, support, history: [...this.history, ...history], epoch };
    }
    if (failure === undefined) return history;
    if (failure.fromCallback || !(failure.error instanceof Gru4RecError)) throw failure.error;
    throw new TrainingError(failure.error, this.epoch > 0 ? this : undefined);
  }

  get #ranking(): RankingModel {
    return { native: this.#native, vocabulary: this.#vocabulary, support: this.#contents.support };
  }

  /** Runs a call of which dispose and training must wait for the end, also between its native calls. */
  async #run<T>(call: () => Promise<T>): Promise<T> {
    ++this.#underWay;
    try {
      return await call();
    } finally {
      --this.#underWay;
    }
  }

  #refuseUnlessIdle(what: string): void {
    this.#refuseWhileTraining(what);
    if (this.#underWay > 0)
      throw new Gru4RecError("ERR_BUSY", `Expected an idle model for ${what} but another call on it is under way`);
  }

  #refuseWhileTraining(what: string): void {
    if (this.#training)
      throw new Gru4RecError("ERR_BUSY", `Expected an idle model for ${what} but it is being trained`);
  }

  /**
   * Reads a model file. It computes on the device and threads and in the precision of `options`, not in those that it
   * was trained with.
   * @typeParam Id - Kind of the item ids, where it is known.
   * @throws {@link Gru4RecError} `ERR_FILE` when it cannot be read, `ERR_MODEL_FILE` when it is no whole model file.
   */
  static async load<Id extends ItemId = ItemId>(path: string, options: LoadOptions = {}): Promise<Gru4Rec<Id>> {
    const { native, contents } = await readModelFile(path, options);
    return new Gru4Rec(native, contents as unknown as ModelContents<Id>);
  }

  /** The effective configuration of the last training; `config.describe()` prints it. */
  get config(): Config {
    return this.#contents.config;
  }

  /** What each epoch of training came to. */
  get history(): readonly EpochReport[] {
    return this.#contents.history;
  }

  /** The epoch that the weights are of: the best one of a training with a validation, else the last. */
  get epoch(): number {
    return this.#contents.epoch;
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
  itemIds(): Id[] {
    return Array.from(this.#vocabulary.ids as ArrayLike<Id>);
  }

  /**
   * Measures next-item prediction: every event of a session from the ones before it. Events of items that the model
   * does not know are removed first and counted.
   * @throws {@link Gru4RecError} `ERR_DATA` when no session with two known events is left; `ERR_ARGUMENT`.
   */
  async evaluate(data: DataInput, options: EvaluateOptions & ReadOptions = {}): Promise<Evaluation> {
    checkOptions(options, [...EVALUATE_OPTIONS, ...READ_OPTIONS]);
    if (options.signal?.aborted) throw aborted(options.signal);
    const checked = checkEvaluateOptions(options, this.#vocabulary);
    return this.#run(async () => {
      const prepared = prepareEvaluation(await readEvents(data, pickReadOptions(options)), this.#vocabulary);
      return evaluateModel(this.#native, prepared, checked, options.signal);
    });
  }

  /**
   * Scores items as the next event of each session. Items that the model does not know are skipped; a session without
   * any known one is scored from the zero state. An empty array is no session, and gives no row.
   * @param sessions - Sessions as lists of item ids, oldest first, or the list of a single one.
   * @returns [sessions, items], row-major.
   * @throws {@link Gru4RecError} `ERR_ARGUMENT` when `options.items` has an unknown item.
   */
  async predict(
    sessions: SessionItems<Id> | readonly SessionItems<Id>[],
    options: PredictOptions<Id> = {},
  ): Promise<Float32Array> {
    return this.#run(() => predictScores(this.#native, this.#vocabulary, sessions, options));
  }

  /**
   * Scores sessions that go on event by event, many at a time (the author's predict_next_batch).
   * @throws {@link Gru4RecError} `ERR_ARGUMENT` when `options.batchSize` is out of range.
   */
  predictor(options: PredictorOptions = {}): Predictor<Id> {
    return new Predictor<Id>(this.#native, this.#vocabulary, options);
  }

  /**
   * Ranks items as the next event of one session, or of several.
   * @param session - Item ids, oldest first; those that the model does not know are skipped and counted. When none is
   * left, the items rank by their training support, with `fallback: true`. An empty array is one session without events.
   * @throws {@link Gru4RecError} `ERR_ARGUMENT` when `options.k` is out of range, `options.items` has an unknown item,
   * or `items` or `exclude` has lists for another number of sessions.
   */
  async recommend(session: SessionItems<Id>, options?: RecommendOptions<Id>): Promise<Recommendations<Id>>;
  async recommend(
    sessions: readonly SessionItems<Id>[],
    options?: RecommendOptions<Id>,
  ): Promise<Recommendations<Id>[]>;
  async recommend(
    input: SessionItems<Id> | readonly SessionItems<Id>[],
    options: RecommendOptions<Id> = {},
  ): Promise<Recommendations<Id> | Recommendations<Id>[]> {
    const lists = this.#run(() => recommendItems(this.#ranking, input, options));
    return lists as Promise<Recommendations<Id> | Recommendations<Id>[]>; // ids come back as they came in
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
    sessions: SessionStream<Id>,
    options: RecommendAllOptions<Id> = {},
  ): AsyncGenerator<Recommendations<Id>, void, undefined> {
    const lists = recommendAll(this.#ranking, sessions, options);
    return lists as AsyncGenerator<Recommendations<Id>, void, undefined>;
  }

  /**
   * Writes the model to a file (safetensors). An existing file is replaced at once, or stays as it is when this fails.
   * @throws {@link Gru4RecError} `ERR_FILE` when the file cannot be written; `ERR_BUSY` while it is being trained.
   */
  async save(path: string): Promise<void> {
    this.#refuseWhileTraining("saving");
    await this.#run(() => writeModelFile(path, this.#native, this.#contents));
  }

  /**
   * Frees the native memory; any other call after it gives `ERR_DISPOSED`.
   * @throws {@link Gru4RecError} `ERR_BUSY` while another call runs.
   */
  dispose(): void {
    this.#refuseUnlessIdle("dispose");
    callNative(() => this.#native.dispose());
  }

  /** Like {@link dispose}. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve().then(() => this.dispose());
  }
}

/** Training that did not come to its end: `ERR_ABORTED`, `ERR_NOT_FINITE` and others. */
export class TrainingError<Id extends ItemId = ItemId> extends Gru4RecError {
  /** @hidden Training makes it. */
  constructor(
    cause: Gru4RecError,
    /** The model of the last whole epoch, the caller's to use and dispose of; absent before the first. */
    readonly model: Gru4Rec<Id> | undefined,
  ) {
    super(cause.code, cause.message, { cause });
  }
}
