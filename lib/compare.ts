import {
  pickReadOptions,
  prepareEvaluation,
  prepareTraining,
  READ_OPTIONS,
  readEvents,
  type DataInput,
  type ReadOptions,
} from "./data";
import { checkOptions, Gru4RecError } from "./errors";
import {
  checkListLengths,
  EVALUATE_OPTIONS,
  evaluateBaselines,
  type BaselineMetrics,
  type EvaluateOptions,
  type Evaluation,
} from "./evaluation";
import type { Gru4Rec } from "./model";

/** A model beside two simple recommenders on the same targets. */
export interface Comparison extends BaselineMetrics {
  /** The model itself. */
  readonly gru4rec: Evaluation;
}

/** As of `model.evaluate`; the candidates are always all items. */
export type CompareOptions = Omit<EvaluateOptions, "items"> & ReadOptions;

const COMPARE_OPTIONS = [...EVALUATE_OPTIONS.filter((name) => name !== "items"), ...READ_OPTIONS];

/**
 * Measures a model beside the most popular items and the items that followed the last one.
 * @param trainData - What the model was trained on: the simple recommenders learn from it.
 * @param testData - What to measure on.
 * @throws {@link Gru4RecError} `ERR_DATA` when `trainData` has other items than the model; as `model.evaluate` does.
 */
export async function compare(
  model: Gru4Rec,
  trainData: DataInput,
  testData: DataInput,
  options: CompareOptions = {},
): Promise<Comparison> {
  checkOptions(options, COMPARE_OPTIONS);
  const reading = pickReadOptions(options);
  const test = await readEvents(testData, reading);
  const gru4rec = await model.evaluate(test, options);
  const training = prepareTraining(await readEvents(trainData, reading));
  if (training.vocabulary.size !== model.itemCount) {
    const received = `${training.vocabulary.size} items where the model has ${model.itemCount}`;
    throw new Gru4RecError("ERR_DATA", `Expected the data that the model was trained on but received ${received}`);
  }
  const lengths = checkListLengths(options.k, model.itemCount);
  return { gru4rec, ...evaluateBaselines(training, prepareEvaluation(test, training.vocabulary), lengths) };
}
