import { prepareEvaluation, prepareTraining, readEvents, type DataInput, type ReadOptions } from "./data";
import { Gru4RecError } from "./errors";
import {
  checkListLengths,
  evaluateBaselines,
  type BaselineMetrics,
  type EvaluateOptions,
  type Evaluation,
} from "./evaluation";
import type { Gru4Rec } from "./model";

/** A model beside two simple recommenders on the same targets. */
export interface Comparison extends BaselineMetrics {
  readonly gru4rec: Evaluation;
}

/** As of `model.evaluate`; the candidates are always all items. */
export type CompareOptions = Omit<EvaluateOptions, "items"> & ReadOptions;

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
  const test = await readEvents(testData, options);
  const gru4rec = await model.evaluate(test, options);
  const training = prepareTraining(await readEvents(trainData, options));
  if (training.vocabulary.size !== model.itemCount) {
    const received = `${training.vocabulary.size} items where the model has ${model.itemCount}`;
    throw new Gru4RecError("ERR_DATA", `Expected the data that the model was trained on but received ${received}`);
  }
  const lengths = checkListLengths(options.k, model.itemCount);
  return { gru4rec, ...evaluateBaselines(training, prepareEvaluation(test, training.vocabulary), lengths) };
}
