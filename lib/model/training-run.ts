import {
  isLogFile,
  pickReadOptions,
  prepareEvaluation,
  READ_OPTIONS,
  readEvents,
  splitByTime,
  splitLastSessions,
  type DataInput,
  type EvaluationData,
  type EventLog,
  type ReadOptions,
  type TrainingData,
} from "../data";
import { aborted, checkInteger, checkOptions, expected, Gru4RecError, namesOf } from "../errors";
import { Validation, type TrainEpochsOptions, type TrainingCallbacks, type ValidationSettings } from "../training";

/** Data that decides which epoch is the best: exactly one of `data`, `lastSessions` and `lastTime`. */
export interface ValidationOptions extends ValidationSettings {
  /** A click log of its own. */
  readonly data?: DataInput | undefined;
  /** Take so many sessions whose last event is latest out of the training data. */
  readonly lastSessions?: number | undefined;
  /** Take the sessions whose last event lies in the last so many seconds out of the training data. */
  readonly lastTime?: number | undefined;
}

const VALIDATION_OPTIONS = namesOf<ValidationOptions>({
  data: true,
  lastSessions: true,
  lastTime: true,
  metric: true,
  every: true,
  patience: true,
  ties: true,
});

/** How to run a training; everything besides hyperparameters. */
export interface RunOptions extends ReadOptions, TrainingCallbacks {
  /**
   * Measures the accuracy on data that is not trained on, after every epoch. The model then has the weights of the best
   * epoch. Default: none, and the weights of the last epoch.
   */
  readonly validation?: ValidationOptions | undefined;
  /**
   * Keeps what the optimiser remembers in the model and its file, so that `retrain()` goes on as if it had never
   * stopped (but `learningRateDecay` counts the epochs of each training). It takes one to three times the memory of the
   * weights. Default false; in `retrain()`: whether there is one.
   */
  readonly keepOptimiserState?: boolean | undefined;
  /**
   * Leaves the events of a prepared log (a `.g4r` file, as `writeLog` writes it) in its file, and has so many in memory
   * at a time while they are trained, twice: those of the sessions that are next. A session of more events is in memory
   * by itself. 1 to 2147483647. Default: all events are read into memory. Never changes the result. `validation` then
   * takes `data` alone.
   */
  readonly window?: number | undefined;
  /** Called for every parameter that has no effect, and where a GPU lacks cuBLAS. Default: `process.emitWarning`. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

const RUN_OPTIONS: readonly string[] = [
  ...READ_OPTIONS,
  ...namesOf<Omit<RunOptions, keyof ReadOptions>>({
    onProgress: true,
    onEpoch: true,
    validation: true,
    keepOptimiserState: true,
    window: true,
    onWarning: true,
  }),
];

/**
 * Tells the options of a run from the hyperparameters beside them, and checks them.
 * @throws {@link Gru4RecError} `ERR_ARGUMENT`; `ERR_ABORTED` when the signal came before the start.
 */
export function takeRunOptions<T extends RunOptions>(options: T): { run: RunOptions; rest: Omit<T, keyof RunOptions> } {
  checkOptions(options);
  if (options.signal?.aborted) throw aborted(options.signal);
  const run: Record<string, unknown> = {};
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) (RUN_OPTIONS.includes(name) ? run : rest)[name] = value;
  for (const name of ["onProgress", "onEpoch", "onWarning"] as const) {
    if (run[name] !== undefined && typeof run[name] !== "function")
      throw new Gru4RecError("ERR_ARGUMENT", expected(name, "a function", run[name]));
  }
  if (run.keepOptimiserState !== undefined && typeof run.keepOptimiserState !== "boolean")
    throw new Gru4RecError("ERR_ARGUMENT", expected("keepOptimiserState", "true or false", run.keepOptimiserState));
  if (run.window !== undefined) checkInteger("window", run.window, 1, 2 ** 31 - 1);
  return { run, rest: rest as Omit<T, keyof RunOptions> };
}

/** Says `warnings` as the run wants it. */
export function warn(warnings: readonly string[], { onWarning }: RunOptions): void {
  for (const warning of warnings) {
    if (onWarning) onWarning(warning);
    else process.emitWarning(warning, "Gru4RecWarning");
  }
}

/** What a training reads, and how it runs. */
export interface TrainingRun<Data extends TrainingData> {
  readonly data: Data;
  readonly options: TrainEpochsOptions;
}

/** How training data is made. */
export interface TrainingSource<Data extends TrainingData> {
  /** Of a log in memory. */
  readonly prepare: (log: EventLog) => Data;
  /** Of a prepared log whose events stay in its file. */
  readonly open: (path: string, window: number) => Promise<Data>;
}

/**
 * Reads the data of a training and of its validation.
 * @throws {@link Gru4RecError} `ERR_ARGUMENT`, `ERR_FILE`, `ERR_DATA`; what an iterable throws.
 */
export async function readTrainingRun<Data extends TrainingData>(
  input: DataInput,
  run: RunOptions,
  source: TrainingSource<Data>,
): Promise<TrainingRun<Data>> {
  const { signal, onProgress, onEpoch, keepOptimiserState } = run;
  const options = { signal, onProgress, onEpoch, keepOptimiserState };
  if (run.validation === undefined) return { data: (await readData(input, run, source)).data, options };

  checkValidationData(run.validation);
  const measure = new Validation(run.validation);
  const { data, test } = await readData(input, run, source);
  measure.checkItems(data.vocabulary);
  const validation: { measure: Validation; data: EvaluationData } = {
    measure,
    data: prepareEvaluation(test!, data.vocabulary),
  };
  return { data, options: { ...options, validation } };
}

/** What is trained on, and with a validation what is measured on. */
async function readData<Data extends TrainingData>(
  input: DataInput,
  run: RunOptions,
  { prepare, open }: TrainingSource<Data>,
): Promise<{ data: Data; test?: EventLog }> {
  const { window, validation } = run;
  const read = pickReadOptions(run);
  if (window !== undefined) {
    const data = await open(checkWindowed(input, validation), window);
    return validation === undefined ? { data } : { data, test: await readEvents(validation.data!, read) };
  }
  if (validation === undefined) return { data: prepare(await readEvents(input, read)) };
  const { train, test } = await splitValidation(input, validation, read);
  return { data: prepare(train), test };
}

/** The path of data that a `window` goes over. */
function checkWindowed(input: DataInput, validation: ValidationOptions | undefined): string {
  if (typeof input !== "string" || !isLogFile(input))
    throw new Gru4RecError("ERR_ARGUMENT", expected("data with window", "the path of a prepared log (.g4r)", input));
  for (const name of ["lastSessions", "lastTime"] as const) {
    if (validation?.[name] === undefined) continue;
    const message = `Expected validation.data with window, as the log is not split, but received ${name}`;
    throw new Gru4RecError("ERR_ARGUMENT", `${message}: prepare() splits it`);
  }
  return input;
}

function checkValidationData(validation: ValidationOptions): void {
  checkOptions(validation, VALIDATION_OPTIONS, "validation");
  const { data, lastSessions, lastTime } = validation;
  const sources = Object.entries({ data, lastSessions, lastTime }).filter(([, value]) => value !== undefined);
  if (sources.length !== 1) {
    const received = sources.length === 0 ? "none of them" : sources.map(([name]) => name).join(" and ");
    const message = `Expected validation to have one of data, lastSessions and lastTime but received ${received}`;
    throw new Gru4RecError("ERR_ARGUMENT", message);
  }
  if (lastSessions !== undefined) checkInteger("validation.lastSessions", lastSessions, 1, 2 ** 31 - 1);
  if (lastTime !== undefined && (typeof lastTime !== "number" || !(lastTime > 0)))
    throw new Gru4RecError("ERR_ARGUMENT", expected("validation.lastTime", "a number of seconds above 0", lastTime));
}

async function splitValidation(
  input: DataInput,
  { data, lastSessions, lastTime }: ValidationOptions,
  options: ReadOptions,
): Promise<{ train: EventLog; test: EventLog }> {
  if (lastSessions !== undefined) return splitLastSessions(input, lastSessions, options);
  if (lastTime !== undefined) return splitByTime(input, lastTime, options);
  return { train: await readEvents(input, options), test: await readEvents(data!, options) };
}
