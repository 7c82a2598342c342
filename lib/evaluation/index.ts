export { evaluateBaselines, type BaselineMetrics } from "./evaluate-baselines";
export {
  checkEvaluateOptions,
  checkTies,
  DEFAULT_BATCH_SIZE,
  EVALUATE_OPTIONS,
  evaluateModel,
  TIES,
  type EvaluateOptions,
  type Evaluation,
  type Ties,
} from "./evaluate-model";
export { checkListLengths, DEFAULT_K, type ListLengths, type Metrics } from "./metrics";
