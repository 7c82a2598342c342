export { compare, type CompareOptions, type Comparison } from "./compare";
export type { Config, Hyperparameters } from "./config";
export {
  readEvents,
  splitByTime,
  type DataInput,
  type EventColumns,
  type EventLog,
  type ItemId,
  type SessionId,
  type SessionItems,
  type Split,
} from "./data";
export { ConfigError, Gru4RecError, type ErrorCode, type Problem } from "./errors";
export type { BaselineMetrics, EvaluateOptions, Evaluation, ListLengths, Metrics, Ties } from "./evaluation";
export { Gru4Rec, type LoadOptions } from "./model";
export {
  Predictor,
  type ItemLists,
  type NextOptions,
  type PredictOptions,
  type PredictorOptions,
  type RecommendAllOptions,
  type Recommendations,
  type RecommendOptions,
  type SessionRequest,
  type SessionStream,
} from "./prediction";
export { train, type TrainOptions } from "./train";
export { formatProgress, type EpochReport, type TrainProgress } from "./training";
