import type { Config } from "../config";
import { trainingOrder, type EvaluationData, type TrainingData } from "../data";
import { untilAborted } from "../errors";
import { runNative, trainingSpec, type NativeModel, type NativeProgress, type NativeSnapshot } from "../native";
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
  const run = new EpochRun(model, data, config, options, past);
  try {
    await runNative(signal, () =>
      model.prepareTraining(trainingSpec(config), support, { steps, epochs: past.length, keepOptimiser }),
    );
    await run.toTheEnd();
    return run.outcome;
  } catch (error) {
    return { ...run.outcomeOfLastEpoch, failure: { error, fromCallback: run.threw(error) } };
  } finally {
    await runNative(undefined, () => model.finishTraining(run.outcome.history.length > 0));
  }
}

/** One training, epoch after epoch. */
class EpochRun {
  readonly #history: EpochReport[] = [];
  readonly #meter: ProgressMeter;
  /** What callbacks threw. */
  readonly #thrown = new Set<unknown>();
  /** The best epoch's number, 0 = none was measured. */
  #best = 0;

  constructor(
    private readonly model: NativeModel,
    private readonly data: TrainingData,
    private readonly config: Config,
    private readonly options: TrainEpochsOptions,
    private readonly past: readonly EpochReport[],
  ) {
    this.#meter = new ProgressMeter(past.length + config.nEpochs);
  }

  get outcome(): TrainingOutcome {
    const epoch = this.#best || (this.#history.at(-1)?.epoch ?? 0);
    return { history: this.#history, epoch };
  }

  async toTheEnd(): Promise<void> {
    const { timeSort, trainRandomOrder, nEpochs } = this.config;
    // The shuffle starts from ascending session id, so the order of time plays no part then.
    const order = await trainingOrder(this.data, timeSort && !trainRandomOrder, this.options.signal);
    for (let i = 1; i <= nEpochs; ++i) {
      await this.trainEpoch(i, order);
      if (this.options.validation?.measure.isDue(i, nEpochs)) await this.validate();
      if ((await this.ask(this.#history.at(-1)!)) !== "stop" && !this.options.validation?.measure.exhausted) continue;
      if (this.#history.at(-1)!.validation === undefined) await this.validate();
      break;
    }
    if (this.#best > 0 && this.#best !== this.#history.at(-1)?.epoch) await this.#restoreBest();
  }

  /** Whether a callback threw `error`. */
  threw(error: unknown): boolean {
    return this.#thrown.has(error);
  }

  /** What there is when an error came: the weights of the last whole epoch. */
  get outcomeOfLastEpoch(): TrainingOutcome {
    return { history: this.#history, epoch: this.#history.at(-1)?.epoch ?? 0 };
  }

  #restoreBest(): Promise<void> {
    return runNative(undefined, () => this.model.restoreWeights("best"));
  }

  /**
   * Trains the epoch `i`, from 1, and adds it to the history.
   * @param order - Session numbers.
   */
  private async trainEpoch(i: number, order: Int32Array): Promise<void> {
    const { model, past, config, options } = this;
    const epoch = past.length + i;
    const restore = await this.#keepBefore(epoch);
    const onProgress = options.onProgress && ((progress: NativeProgress) => this.tell(epoch, progress, false));
    const learningRate = config.learningRate * config.learningRateDecay ** (i - 1);
    const result = await runNative(options.signal, (cancellation) =>
      model.trainEpoch(this.data.sessions, order, { learningRate, onProgress, restore }, cancellation),
    );
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

  /** What onEpoch says; an abort does not wait for it. */
  private ask(report: EpochReport): Promise<unknown> {
    const asked = async (): Promise<unknown> => {
      try {
        return await this.options.onEpoch?.(report);
      } catch (error) {
        this.#thrown.add(error);
        throw error;
      }
    };
    return untilAborted(asked(), this.options.signal);
  }

  /** @returns The snapshot with the weights before `epoch`, the best one's where they are the same; the first needs none. */
  async #keepBefore(epoch: number): Promise<NativeSnapshot | undefined> {
    if (epoch === 1) return undefined;
    if (this.#best === epoch - 1) return "best";
    await runNative(undefined, () => this.model.keepWeights("last"));
    return "last";
  }

  /** Measures the last epoch. */
  private async validate(): Promise<void> {
    const { validation, signal } = this.options;
    if (validation === undefined) return;
    const { report, isBest } = await validation.measure.measure(this.model, validation.data, signal);
    const trained = this.#history.pop()!;
    this.#history.push({ ...trained, validation: report });
    if (!isBest) return;
    await runNative(undefined, () => this.model.keepWeights("best"));
    this.#best = trained.epoch;
  }
}
