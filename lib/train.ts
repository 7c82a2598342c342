import { parseConfig, type Hyperparameters } from "./config";
import { prepareTraining, readEvents, type DataInput } from "./data";
import { expected, Gru4RecError } from "./errors";
import { Gru4Rec } from "./model";
import { aborted } from "./native";
import type { TrainProgress } from "./training";

/** Hyperparameters, and how to run. */
export interface TrainOptions extends Hyperparameters {
  /**
   * The author's parameter string, such as `loss=bpr-max,layers=100/100,constrained_embedding=True`. The other options
   * win over it. What it leaves out has the default of the author's PyTorch version: as here, with logq 0.
   */
  readonly parameters?: string | undefined;
  /** Stops training within 100 ms, with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** Called at most ten times a second, and at the end of every epoch. */
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
  /** Called for every parameter that has no effect. Default: `process.emitWarning`. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * Trains a GRU4Rec.
 * @param data - Path of a TSV or CSV file with the columns SessionId, ItemId and Time, or three columns.
 * @throws {@link Gru4RecError} `ERR_CONFIG` with all wrong parameters at once; `ERR_FILE` and `ERR_DATA` where the data
 * cannot be read; `ERR_NOT_FINITE` when the loss is no number any more; `ERR_ABORTED`; `ERR_DEVICE`; `ERR_OUT_OF_MEMORY`.
 */
export async function train(data: DataInput, options: TrainOptions = {}): Promise<Gru4Rec> {
  const given: unknown = options;
  if (typeof given !== "object" || given === null)
    throw new Gru4RecError("ERR_ARGUMENT", expected("options", "an object", given));
  const { parameters, signal, onProgress, onWarning = warn, ...hyperparameters } = options;
  if (signal?.aborted) throw aborted(signal);
  const { config, warnings } = parseConfig(hyperparameters, parameters);
  warnings.forEach((warning) => onWarning(warning));
  return Gru4Rec.fit(prepareTraining(await readEvents(data)), config, { signal, onProgress });
}

function warn(message: string): void {
  process.emitWarning(message, "Gru4RecWarning");
}
