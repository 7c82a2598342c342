import type { Config } from "../config";
import { trainingOrder, type TrainingData } from "../data";
import { runNative, trainingSpec, type NativeModel, type NativeProgress } from "../native";
import { ProgressMeter, type TrainProgress } from "./progress";

/** What one epoch came to. */
export interface EpochReport {
  /** From 1. */
  readonly epoch: number;
  /** Mean loss over the epoch's events, dropout and negative samples included. */
  readonly loss: number;
  /** Mini-batches. */
  readonly steps: number;
  /** Pairs of an event and its next one. */
  readonly events: number;
  readonly seconds: number;
  readonly learningRate: number;
  /** Of the validation data, where the epoch was validated. */
  readonly validation?: {
    readonly recall: number;
    readonly mrr: number;
    readonly targets: number;
    readonly seconds: number;
  };
}

export interface TrainEpochsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called at most ten times a second, and at the end of every epoch. */
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
}

/**
 * Trains `config.nEpochs` epochs.
 * @param model - With its weights set.
 * @throws {@link Gru4RecError} `ERR_NOT_FINITE` when the loss is no number any more, `ERR_ABORTED`; what `onProgress`
 * throws.
 */
export async function trainEpochs(
  model: NativeModel,
  data: TrainingData,
  config: Config,
  { signal, onProgress }: TrainEpochsOptions,
): Promise<EpochReport[]> {
  const history: EpochReport[] = [];
  // The shuffle starts from ascending session id, so the order of time plays no part then.
  const order = trainingOrder(data.startTimes, config.timeSort && !config.trainRandomOrder);
  const meter = new ProgressMeter(config.nEpochs);

  await runNative(signal, () =>
    model.prepareTraining(trainingSpec(config), data.support, { steps: 0, epochs: 0, keepOptimiser: false }),
  );
  for (let epoch = 1; epoch <= config.nEpochs; ++epoch) {
    const report = onProgress && ((progress: NativeProgress) => onProgress(meter.progress(epoch, progress, false)));
    const result = await runNative(signal, (cancellation) =>
      model.trainEpoch(data.sessions, order, { learningRate: config.learningRate, onProgress: report }, cancellation),
    );
    const { loss, steps, events, seconds } = result;
    history.push({ epoch, loss, steps, events, seconds, learningRate: config.learningRate });
    onProgress?.(meter.progress(epoch, result, true));
  }
  await model.finishTraining();
  return history;
}
