import type { Config } from "../config";
import { trainingOrder, type EvaluationData, type TrainingData } from "../data";
import { runNative, trainingSpec, type NativeModel, type NativeProgress } from "../native";
import type { EpochReport } from "./epoch-report";
import { ProgressMeter, type TrainProgress } from "./progress";
import type { Validation } from "./validation";

/** What to do besides training. */
export interface TrainingCallbacks {
  /** Stops training within 100 ms, with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** Called at most ten times a second, and at the end of every epoch. */
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
  /**
   * Called after every epoch and its validation; training waits for a promise that it returns. `"stop"`, or a promise
   * of it, ends training as if this had been the last epoch.
   */
  readonly onEpoch?: ((report: EpochReport) => unknown) | undefined;
}

export interface TrainEpochsOptions extends TrainingCallbacks {
  /** Epochs trained before. Default none. */
  readonly history?: readonly EpochReport[];
  readonly validation?: { readonly measure: Validation; readonly data: EvaluationData } | undefined;
  /** Whether the optimiser's state stays in the model. Default false. */
  readonly keepOptimiserState?: boolean | undefined;
}

/** What training came to, whole or not. */
export interface TrainingOutcome {
  /** The epochs of this training. */
  readonly history: readonly EpochReport[];
  /** The epoch that the weights are of: the best one with a validation, else the last whole one; 0 = as before. */
  readonly epoch: number;
  /** What stopped it before its end. */
  readonly failure?: { readonly error: unknown; /** Whether a callback threw it. */ readonly fromCallback: boolean };
}

/**
 * Trains `config.nEpochs` epochs.
 * @param model - With its weights set.
 * @returns The outcome, with the error that stopped it: `ERR_NOT_FINITE` when the loss is no number any more,
 * `ERR_ABORTED`, or what a callback threw. The weights are then those of the last whole epoch, if there was one or the
 * model was trained before.
 */
export async function trainEpochs(
  model: NativeModel,
  data: TrainingData,
  config: Config,
  options: TrainEpochsOptions,
): Promise<TrainingOutcome> {
  const { history: past = [], keepOptimiserState: keepOptimiser = false, signal } = options;
  const steps = past.reduce((sum, report) => sum + report.steps, 0);
  const support = data.support.map((events) => Math.max(events, 1));
  await runNative(signal, () =>
    model.prepareTraining(trainingSpec(config), support, { steps, epochs: past.length, keepOptimiser }),
  );
  const run = new EpochRun(model, data, config, options, past);
  try {
    try {
      await run.toTheEnd();
      return run.outcome;
    } catch (error) {
      await run.returnToWholeEpoch();
      return { ...run.outcome, failure: { error, fromCallback: run.threw(error) } };
    }
  } finally {
    await model.finishTraining();
  }
}

/** One training, epoch after epoch. */
class EpochRun {
  readonly #history: EpochReport[] = [];
  readonly #order: Int32Array;
  readonly #meter: ProgressMeter;
  /** What callbacks threw. */
  readonly #thrown = new Set<unknown>();
  /** The best epoch's number, 0 = none was measured. */
  #best = 0;
  /** Which snapshot the weights are to come back from while an epoch is under way. */
  #kept: "last" | "best" | undefined;

  constructor(
    private readonly model: NativeModel,
    private readonly data: TrainingData,
    private readonly config: Config,
    private readonly options: TrainEpochsOptions,
    private readonly past: readonly EpochReport[],
  ) {
    // The shuffle starts from ascending session id, so the order of time plays no part then.
    this.#order = trainingOrder(data.startTimes, config.timeSort && !config.trainRandomOrder);
    this.#meter = new ProgressMeter(past.length + config.nEpochs);
  }

  get outcome(): TrainingOutcome {
    const epoch = this.#best || (this.#history.at(-1)?.epoch ?? 0);
    return { history: this.#history, epoch };
  }

  async toTheEnd(): Promise<void> {
    for (let i = 1; i <= this.config.nEpochs; ++i) {
      await this.trainEpoch(i);
      await this.validate(i);
      const report = this.#history.at(-1)!;
      if ((await this.ask(report)) === "stop" || this.options.validation?.measure.exhausted) break;
    }
    if (this.#best > 0 && this.#best !== this.#history.at(-1)?.epoch) await this.model.restoreWeights("best");
  }

  /** Whether a callback threw `error`. */
  threw(error: unknown): boolean {
    return this.#thrown.has(error);
  }

  /** Undoes the epoch under way. */
  async returnToWholeEpoch(): Promise<void> {
    this.#best = 0;
    if (this.#kept !== undefined) await this.model.restoreWeights(this.#kept);
  }

  /** Trains the epoch `i`, from 1, and adds it to the history. */
  private async trainEpoch(i: number): Promise<void> {
    const { model, past, config, options } = this;
    const epoch = past.length + i;
    if (epoch > 1) {
      this.#kept = this.#best === epoch - 1 ? "best" : "last";
      if (this.#kept === "last") await model.keepWeights("last");
    }
    const onProgress = options.onProgress && ((progress: NativeProgress) => this.tell(epoch, progress, false));
    const learningRate = config.learningRate * config.learningRateDecay ** (i - 1);
    const result = await runNative(options.signal, (cancellation) =>
      model.trainEpoch(this.data.sessions, this.#order, { learningRate, onProgress }, cancellation),
    );
    this.#kept = undefined;
    const { loss, steps, events, seconds } = result;
    this.#history.push({ epoch, loss, steps, events, seconds, learningRate });
    this.tell(epoch, result, true);
  }

  private tell(epoch: number, progress: NativeProgress, epochDone: boolean): void {
    try {
      this.options.onProgress?.(this.#meter.progress(epoch, progress, epochDone));
    } catch (error) {
      this.#thrown.add(error);
      throw error;
    }
  }

  private async ask(report: EpochReport): Promise<unknown> {
    try {
      return await this.options.onEpoch?.(report);
    } catch (error) {
      this.#thrown.add(error);
      throw error;
    }
  }

  /** Measures the epoch `i` where it is due. */
  private async validate(i: number): Promise<void> {
    const { validation, signal } = this.options;
    if (!validation?.measure.isDue(i, this.config.nEpochs)) return;
    const { report, isBest } = await validation.measure.measure(this.model, validation.data, signal);
    const trained = this.#history.pop()!;
    this.#history.push({ ...trained, validation: report });
    if (!isBest) return;
    await this.model.keepWeights("best");
    this.#best = trained.epoch;
  }
}
