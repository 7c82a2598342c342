import type { Config } from "../config";
import {
  isList,
  prepareEvaluation,
  readEvents,
  type DataInput,
  type ItemId,
  type SessionItems,
  type TrainingData,
  type Vocabulary,
} from "../data";
import { expected, Gru4RecError } from "../errors";
import { checkEvaluateOptions, evaluateModel, type EvaluateOptions, type Evaluation } from "../evaluation";
import { aborted, callNative, createModel, runNative, type NativeModel } from "../native";
import {
  predictScores,
  recommendItems,
  type PredictOptions,
  type Recommendations,
  type RecommendOptions,
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
  /** The epoch of training that the weights are of; 0 = before the first. */
  readonly epoch: number;

  private constructor(native: NativeModel, contents: ModelContents) {
    this.#native = native;
    this.#vocabulary = contents.vocabulary;
    this.#support = contents.support;
    this.config = contents.config;
    this.history = contents.history;
    this.epoch = contents.epoch;
  }

  /** Trains a new model; `train()` is what reads data and options for it. */
  static async fit(data: TrainingData, config: Config, options: TrainEpochsOptions): Promise<Gru4Rec> {
    const { vocabulary, support } = data;
    const native = createModel(config, vocabulary.size);
    try {
      const { sigma, initAsNormal: normal, seed } = config;
      await runNative(options.signal, () => native.initialise({ sigma, normal, seed }));
      const history = await trainEpochs(native, data, config, options);
      return new Gru4Rec(native, { config, vocabulary, support, history, epoch: config.nEpochs });
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
   * Scores items as the next event of each session (the author's predict_next_batch). Items that the model does not
   * know are skipped; a session without any known one is scored from the zero state.
   * @returns [sessions, items], row-major.
   * @throws {@link Gru4RecError} `ERR_ARGUMENT` when `options.items` has an unknown item.
   */
  async predict(sessions: readonly SessionItems[], options: PredictOptions = {}): Promise<Float32Array> {
    if (!Array.isArray(sessions))
      throw new Gru4RecError("ERR_ARGUMENT", expected("sessions", "an array of sessions", sessions));
    return predictScores(this.#native, this.#vocabulary, sessions as readonly SessionItems[], options);
  }

  /**
   * Ranks all items as the next event of one session, or of several.
   * @param session - Item ids, oldest first; those that the model does not know are skipped and counted. When none is
   * left, the items rank by their training support, with `fallback: true`.
   * @throws {@link Gru4RecError} `ERR_ARGUMENT` when `options.k` is out of range or `options.items` has an unknown item.
   */
  async recommend(session: SessionItems, options?: RecommendOptions): Promise<Recommendations>;
  async recommend(sessions: readonly SessionItems[], options?: RecommendOptions): Promise<Recommendations[]>;
  async recommend(
    input: SessionItems | readonly SessionItems[],
    options: RecommendOptions = {},
  ): Promise<Recommendations | Recommendations[]> {
    if (!isList(input))
      throw new Gru4RecError("ERR_ARGUMENT", expected("session", "an array of item ids or of sessions", input));
    const several = isList(input[0]);
    const sessions = several ? (input as readonly SessionItems[]) : [input as SessionItems];
    const lists = await recommendItems(this.#native, this.#vocabulary, this.#support, sessions, options);
    return several ? lists : lists[0]!;
  }

  /**
   * Writes the model to a file (safetensors). An existing file is replaced at once, or stays as it is when this fails.
   * @throws {@link Gru4RecError} `ERR_FILE` when the file cannot be written.
   */
  async save(path: string): Promise<void> {
    const { config, history, epoch } = this;
    await writeModelFile(path, this.#native, {
      config,
      history,
      epoch,
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
