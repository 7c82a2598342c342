import { parseConfig, type Hyperparameters } from "./config";
import {
  openTraining,
  prepareTraining,
  type DataInput,
  type EventLog,
  type ItemId,
  type TrainingData,
  type Widened,
} from "./data";
import { Gru4Rec, readTrainingRun, takeRunOptions, warn, type RunOptions } from "./model";

/** Hyperparameters, and how to run. */
export interface TrainOptions extends Hyperparameters, RunOptions {
  /**
   * The author's parameter string, such as `loss=bpr-max,layers=100/100,constrained_embedding=True`. The other options
   * win over it. What it leaves out has the default of the author's PyTorch version: as here, with logq 0.
   */
  readonly parameters?: string | undefined;
}

/**
 * Trains a GRU4Rec.
 *
 * The weights after every epoch are kept until the next one is over, so that training which is stopped leaves a model;
 * that takes the memory of the weights once more.
 * @param data - A click log: path of a file, folder or pattern, a database's table or query, columns, an Arrow table, an
 * (async) iterable of events, or a stream; see {@link DataInput}.
 * @returns The model after the last epoch, or with `validation` after the best one.
 * @throws {@link Gru4RecError} `ERR_CONFIG` with all wrong parameters at once; `ERR_ARGUMENT`; `ERR_FILE` and `ERR_DATA`
 * where the data cannot be read; `ERR_DEVICE`; `ERR_OUT_OF_MEMORY`. {@link TrainingError} `ERR_ABORTED`, and
 * `ERR_NOT_FINITE` when the loss is no number any more: its `model` is that of the last whole epoch, if there was one.
 * What a callback throws comes as it is.
 * @example
 * ```js
 * const model = await train("clicks.tsv", {
 *   layers: [100],
 *   loss: "bpr-max",
 *   validation: { lastTime: 86_400, metric: "recall@20", patience: 3 },
 *   onEpoch: ({ epoch, loss, validation }) => console.log(epoch, loss, validation.recall[20]),
 * });
 * ```
 */
export async function train<Id extends ItemId = ItemId>(
  data: DataInput<Id>,
  options: TrainOptions = {},
): Promise<Gru4Rec<Widened<Id>>> {
  const { run, rest } = takeRunOptions(options);
  const { parameters, ...hyperparameters } = rest;
  const { config, warnings } = parseConfig(hyperparameters, parameters);
  warn(warnings, run);
  const { data: training, options: epochs } = await readTrainingRun<TrainingData<Widened<Id>>>(data, run, {
    prepare: (log) => prepareTraining(log as unknown as EventLog<Widened<Id>>),
    open: (path, window) => openTraining(path, window, run.signal),
  });
  return Gru4Rec.fit(training, config, epochs, run);
}
